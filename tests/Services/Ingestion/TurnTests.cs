using DmlPipeline.Hosting;
using DmlPipeline.Ingestion;
using DmlPipeline.Storage;
using DmlPipeline.Tests.Services.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Tests.Services.Ingestion;

public sealed class SqliteTurnTests() : TurnTests(new SqliteTestDatabase());

public sealed class PostgresTurnTests() : TurnTests(new PostgresTestDatabase());

/// <summary>Two drops of one dataset, two processes that prepare drops.</summary>
public abstract class TurnTests(TestDatabase databases) : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private Database database = null!;

    public async Task InitializeAsync()
    {
        database = await databases.Open();
        foreach (var (drop, dataset) in new[] { ("a", "birds"), ("b", "birds"), ("c", "bees") })
            await database.Write(async transaction =>
            {
                await transaction.Execute(
                    "insert into drops (id, dataset, state, objects, bytes, created_at) values (@drop, @dataset, 'settled', 0, 0, 0)", new { drop, dataset });
                await transaction.Enqueue(PreparationWorker.Kind, drop);
            }, default);
    }

    public async Task DisposeAsync()
    {
        database.Dispose();
        await databases.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task A_drop_waits_while_another_of_its_dataset_is_prepared_also_by_a_process_that_died()
    {
        var first = (await database.Lease(PreparationWorker.Kind, "first", TimeSpan.FromMinutes(1), default))!;
        await TakeTurn(first);
        var second = (await database.Lease(PreparationWorker.Kind, "second", TimeSpan.FromMinutes(1), default))!;
        var other = (await database.Lease(PreparationWorker.Kind, "other", TimeSpan.FromMinutes(1), default))!;

        await Should.ThrowAsync<PostponedException>(() => TakeTurn(second));
        await TakeTurn(other);
        await database.Write(transaction => transaction.Execute("update jobs set lease_until = 0 where id = @Id", new { first.Id }), default);
        await Should.ThrowAsync<PostponedException>(() => TakeTurn(second));

        var again = (await database.Lease(PreparationWorker.Kind, "third", TimeSpan.FromMinutes(1), default))!;
        again.Subject.ShouldBe(first.Subject);
        await TakeTurn(again);
        await database.Write(transaction => transaction.Finish(again), default);
        await TakeTurn(second);
    }

    private Task TakeTurn(LeasedJob job) =>
        new PreparationWorker(database, folder.OpenStore(), Options.Create(new IngestionOptions()), NullLogger<PreparationWorker>.Instance)
            .TakeTurn(job, job.Subject == "c" ? "bees" : "birds", default);
}
