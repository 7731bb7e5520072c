using DmlPipeline.Contracts;
using DmlPipeline.Storage;
using DmlPipeline.Tests.Services.Storage;

namespace DmlPipeline.Tests.Services.Hosting;

public sealed class SqliteOutboxClaimTests() : OutboxClaimTests(new SqliteTestDatabase());

public sealed class PostgresOutboxClaimTests() : OutboxClaimTests(new PostgresTestDatabase());

public abstract class OutboxClaimTests(TestDatabase databases) : IAsyncLifetime
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    // A claim that has run out when it begins: its process is dead by definition.
    private static readonly TimeSpan Over = TimeSpan.FromMilliseconds(-1);

    private Database database = null!;

    public async Task InitializeAsync()
    {
        database = await databases.Open();
        await database.Write(async transaction =>
        {
            for (var i = 0; i < 100; i++) await transaction.Publish(new PrepareDataset($"{i:D2}", "birds"));
        }, default);
    }

    public async Task DisposeAsync()
    {
        database.Dispose();
        await databases.DisposeAsync();
    }

    [Fact]
    public async Task Each_message_is_claimed_by_one_of_many_processes()
    {
        using var other = await databases.Open();

        var claims = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => (i % 2 == 0 ? database : other).Claim(5, Long, default))));

        claims.SelectMany(claim => claim).Select(message => message.Id).ShouldBeUnique();
        foreach (var claim in claims) claim.Select(message => message.Id).ShouldBeInOrder();
    }

    [Fact]
    public async Task A_claim_that_has_run_out_or_was_given_back_is_anybodys()
    {
        var dead = await database.Claim(30, Over, default);
        await Task.Delay(5);
        var given = await database.Claim(30, Long, default);
        given.Select(message => message.Id).ShouldBe(dead.Select(message => message.Id));

        await database.Unclaim([.. given.Select(message => message.Id)], default);
        (await database.Claim(30, Long, default)).Select(message => message.Id).ShouldBe(given.Select(message => message.Id));
    }

    [Fact]
    public async Task What_was_sent_is_not_claimed_again_even_when_all_claims_end()
    {
        var sent = (await database.Claim(60, Long, default)).Select(message => message.Id).ToList();
        await database.MarkSent(sent, default);

        await database.UnclaimAll(default);

        var rest = await database.Claim(100, Long, default);
        rest.Count.ShouldBe(40);
        rest.Select(message => message.Id).Intersect(sent).ShouldBeEmpty();
    }
}
