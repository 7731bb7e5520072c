using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Tests.Services.Storage;

public sealed class SqliteInboxRowTests() : InboxRowTests(new SqliteTestDatabase());

public sealed class PostgresInboxRowTests() : InboxRowTests(new PostgresTestDatabase());

public abstract class InboxRowTests(TestDatabase databases) : IAsyncLifetime
{
    private Database database = null!;

    public async Task InitializeAsync() => database = await databases.Open();

    public async Task DisposeAsync()
    {
        database.Dispose();
        await databases.DisposeAsync();
    }

    [Fact]
    public async Task More_objects_than_one_statement_can_hold_are_each_remembered_once_for_each_of_their_states()
    {
        var objects = Enumerable.Range(0, 2500).Select(i => ($"inbox/birds/kea/{i}.jpg", "before", (long)i)).ToList();
        await Remember(objects);

        await Remember([.. objects, ("inbox/birds/kea/7.jpg", "after", 70)]);

        (await database.QueryOne<int>("select count(*) from inbox_objects where dataset = 'birds' and drop_id is null", null, default)).ShouldBe(2501);
        (await database.QueryOne<long>("select sum(bytes) from inbox_objects", null, default)).ShouldBe(objects.Sum(item => item.Item3) + 70);
        (await database.Query<string>("select etag from inbox_objects where key = 'inbox/birds/kea/7.jpg' order by etag", null, default)).ShouldBe(["after", "before"]);
    }

    [Fact]
    public async Task Nothing_to_remember_is_no_mistake()
    {
        await Remember([]);

        (await database.QueryOne<int>("select count(*) from inbox_objects", null, default)).ShouldBe(0);
    }

    private Task Remember(IEnumerable<(string Key, string ETag, long Bytes)> objects) =>
        database.Write(transaction => transaction.RememberObjects("birds", objects), default);
}
