using DmlPipeline.Contracts;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Tests.Services.Storage;

public abstract class TroubleTests<T> : IAsyncLifetime where T : TestDatabase, new()
{
    private const long Hour = 3_600_000;

    private readonly T test = new();
    private Database database = null!;

    public async Task InitializeAsync() => database = await test.Open();

    public async Task DisposeAsync()
    {
        database.Dispose();
        await test.DisposeAsync();
    }

    [Fact]
    public async Task A_pipeline_that_has_done_nothing_has_no_troubles() => (await Found()).ShouldBeEmpty();

    [Fact]
    public async Task A_failed_run_is_trouble_until_a_later_one_of_its_dataset_succeeds()
    {
        await Write(async transaction =>
        {
            await RunSamples.Insert(transaction, "birds-v1", "failed");
            await transaction.Execute("update runs set error = 'the loss is not finite', created_at = 5 where id = 'birds-v1'");
        });
        var trouble = (await Found()).ShouldHaveSingleItem();
        (trouble.Kind, trouble.Subject).ShouldBe((Troubles.FailedRun, "birds-v1"));
        trouble.What.ShouldContain("the loss is not finite");
        trouble.Remedy.ShouldContain("dml resume birds-v1");

        await Write(async transaction =>
        {
            await RunSamples.Insert(transaction, "birds-v2", "registered");
            await transaction.Execute("update runs set created_at = 6 where id = 'birds-v2'");
        });

        (await Found()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Work_that_nobody_begins_is_trouble_but_not_while_somebody_does_other_work_of_its_kind()
    {
        await Write(transaction => transaction.Enqueue("train", "a"));
        (await Found()).ShouldBeEmpty();
        (await Found(Hour)).ShouldHaveSingleItem().ShouldSatisfyAllConditions(trouble => (trouble.Kind, trouble.Subject).ShouldBe((Troubles.StuckQueue, "train")));

        await Write(async transaction =>
        {
            await transaction.Enqueue("train", "b");
            await transaction.Execute("update jobs set state = 'leased', leased_by = 'worker', lease_until = @until where subject = 'b'", new { until = Database.Now + (2 * Hour) });
        });

        (await Found(Hour)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Work_that_a_full_disk_holds_up_is_trouble_until_it_goes_on()
    {
        await Write(transaction => transaction.Enqueue("train", "a"));
        await HoldUp();
        await HoldUp();
        (await Found()).ShouldBeEmpty();
        var trouble = (await Found(Hour / 10)).ShouldHaveSingleItem();
        (trouble.Kind, trouble.Subject).ShouldBe((Troubles.HeldUp, "train"));
        trouble.What.ShouldBe("1 of kind train cannot be done: there is no room left");

        var job = await Lease();
        (await Found(Hour / 10)).ShouldBeEmpty("somebody works on it");
        await database.Postpone(job, TimeSpan.Zero, "another goes first", default);
        (await Found(Hour / 10)).ShouldBeEmpty("that is no trouble");

        async Task HoldUp() => await database.HoldUp(await Lease(), TimeSpan.Zero, "there is no room left", default);

        async Task<LeasedJob> Lease() => (await database.Lease("train", "worker", TimeSpan.FromHours(1), default)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Work_whose_worker_fell_silent_is_trouble_when_nobody_takes_it_over()
    {
        await Write(async transaction =>
        {
            await transaction.Enqueue("evaluate", "a");
            await transaction.Execute("update jobs set state = 'leased', leased_by = 'worker', lease_until = @now", new { now = Database.Now });
        });

        (await Found()).ShouldBeEmpty();
        (await Found(Hour)).ShouldHaveSingleItem().What.ShouldContain("lost their worker");
    }

    [Fact]
    public async Task Messages_that_are_not_sent_are_trouble()
    {
        await Write(transaction => transaction.Publish(new PrepareDataset("drop", "birds")));

        (await Found()).ShouldBeEmpty();
        (await Found(Hour)).ShouldHaveSingleItem().Kind.ShouldBe(Troubles.UnsentMessages);
    }

    [Theory]
    [InlineData(89, 11, true)]
    [InlineData(90, 10, false)]
    [InlineData(0, 0, false)]
    public async Task Many_refused_images_are_trouble(int added, int refused, bool isTrouble)
    {
        await Drop("d1", "ready", 1, $$$"""{"counts":{"files":100,"added":{{{added}}},"duplicates":0,"quarantined":{{{refused}}},"ignored":0}}""");

        (await Found()).Select(trouble => trouble.Kind).ShouldBe(isTrouble ? [Troubles.Quarantine] : []);
    }

    [Fact]
    public async Task A_rejected_drop_is_trouble_until_the_next_one_of_its_dataset()
    {
        await Drop("d1", "rejected", 1, outcome: null);
        (await Found()).ShouldHaveSingleItem().Kind.ShouldBe(Troubles.RejectedDrop);

        await Drop("d2", "ready", 2, outcome: null);

        (await Found()).ShouldBeEmpty();
    }

    private Task<IReadOnlyList<Trouble>> Found(long later = 0) => Troubles.All(database, new TroubleLimits(), Database.Now + later, default);

    private Task Write(Func<Transaction, Task> work) => database.Write(work, default);

    private Task Drop(string id, string state, long at, string? outcome) => Write(transaction => transaction.Execute(
        """
        insert into drops (id, dataset, state, objects, bytes, reason, outcome_json, created_at, finished_at)
        values (@id, 'birds', @state, 1, 1, 'it holds no image', @outcome, @at, @at)
        """, new { id, state, outcome, at }));
}

public sealed class SqliteTroubleTests : TroubleTests<SqliteTestDatabase>;

public sealed class PostgresTroubleTests : TroubleTests<PostgresTestDatabase>;
