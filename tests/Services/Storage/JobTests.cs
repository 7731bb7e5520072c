using System.Collections.Concurrent;
using DmlPipeline.Contracts;
using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Services.Storage;

public sealed class SqliteJobTests() : JobTests(new SqliteTestDatabase());

public sealed class PostgresJobTests() : JobTests(new PostgresTestDatabase());

public abstract class JobTests(TestDatabase databases) : IAsyncLifetime
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    // A lease that is over when it begins: its worker is too slow by definition.
    private static readonly TimeSpan Over = TimeSpan.FromMilliseconds(-1);

    private Database database = null!;

    public async Task InitializeAsync() => database = await databases.Open();

    public async Task DisposeAsync()
    {
        database.Dispose();
        await databases.DisposeAsync();
    }

    [Fact]
    public async Task Each_job_is_leased_once_by_many_workers_in_two_processes()
    {
        using var other = await databases.Open();
        const int jobs = 60;
        await database.Write(async transaction =>
        {
            for (var i = 0; i < jobs; i++) await transaction.Enqueue("train", $"{i}");
        }, default);
        var leased = new ConcurrentBag<(string Job, string Worker)>();

        await Task.WhenAll(Enumerable.Range(0, 12).Select(worker => Task.Run(async () =>
        {
            while (await (worker % 2 == 0 ? database : other).Lease("train", $"worker {worker}", Long, default) is { } job)
                leased.Add((job.Id, job.Worker));
        })));

        leased.Select(lease => lease.Job).ShouldBeUnique();
        leased.Count.ShouldBe(jobs);
        (await database.Query<(string, string)>("select id, leased_by from jobs where state = 'leased' and leases = 1", null, default)).ShouldBe(leased, ignoreOrder: true);
    }

    [Fact]
    public async Task A_lease_that_ended_is_taken_over_and_the_late_result_is_dropped()
    {
        await Enqueue("a");
        var late = (await Lease("slow", Over))!;
        var taken = (await Lease("fast", Long)).ShouldNotBeNull();

        taken.Id.ShouldBe(late.Id);
        (await database.Heartbeat(late, Long, default)).ShouldBe(HeartbeatAnswer.LeaseLost);
        await Should.ThrowAsync<LeaseLostException>(database.Write(async transaction =>
        {
            await transaction.Publish(new PrepareDataset("late", "birds"));
            await transaction.Finish(late);
        }, default));
        await database.Release(late, TimeSpan.Zero, "late error", default);

        (await database.Unsent(10, default)).ShouldBeEmpty();
        (await Row("a")).ShouldBe(("leased", 0, null));
        (await database.Heartbeat(taken, Long, default)).ShouldBe(HeartbeatAnswer.Continue);
        await database.Write(transaction => transaction.Finish(taken), default);
        (await Row("a")).ShouldBe(("done", 0, null));
        await Should.ThrowAsync<LeaseLostException>(database.Write(transaction => transaction.Finish(taken), default));
    }

    [Fact]
    public async Task A_lease_is_kept_by_its_heartbeat()
    {
        await Enqueue("a");
        var job = (await Lease("one", Over))!;

        (await database.Heartbeat(job, Long, default)).ShouldBe(HeartbeatAnswer.Continue);

        (await Lease("two", Long)).ShouldBeNull();
    }

    [Fact]
    public async Task A_heartbeat_tells_of_a_request_to_cancel_also_to_the_next_worker()
    {
        await Run("a", "running");
        await Enqueue("a");
        var job = (await Lease("one", Long))!;

        await DmlPipeline.Storage.State.RunRows.RequestCancel(database, "a", default);
        (await database.Heartbeat(job, Over, default)).ShouldBe(HeartbeatAnswer.CancelRequested);

        var next = (await Lease("two", Long))!;
        (await database.Heartbeat(next, Long, default)).ShouldBe(HeartbeatAnswer.CancelRequested);
        (await database.Heartbeat(job, Long, default)).ShouldBe(HeartbeatAnswer.LeaseLost);
    }

    [Fact]
    public async Task A_released_job_waits_for_its_delay_and_counts_its_failures()
    {
        await Enqueue("a");
        await database.Release((await Lease("one", Long))!, TimeSpan.FromHours(1), "disk full", default);
        (await Lease("one", Long)).ShouldBeNull();
        (await Row("a")).ShouldBe(("queued", 1, "disk full"));

        await database.Write(transaction => transaction.Execute("update jobs set not_before = 0"), default);
        var again = (await Lease("two", Long))!;
        again.Failures.ShouldBe(1);
        await database.Release(again, TimeSpan.Zero, error: null, default);

        (await Lease("three", Long))!.Failures.ShouldBe(1);
    }

    [Fact]
    public async Task The_most_urgent_job_comes_first_and_then_the_oldest()
    {
        await database.Write(async transaction =>
        {
            foreach (var (subject, priority) in new[] { ("young", 0), ("old", 0), ("urgent", 5), ("low", -1), ("other kind", 9) })
                await transaction.Enqueue(subject == "other kind" ? "evaluate" : "train", subject, priority);
            await transaction.Execute("update jobs set created_at = created_at - 1000 where subject = 'old'");
        }, default);

        var order = new List<string>();
        while (await Lease("one", Long) is { } job) order.Add(job.Subject);
        order.ShouldBe(["urgent", "old", "young", "low"]);
    }

    [Theory]
    [InlineData("queued", 0)]
    [InlineData("leased", 0)]
    [InlineData("done", 1)]
    [InlineData("failed", 1)]
    [InlineData("cancelled", 1)]
    public async Task A_job_is_queued_once_and_again_only_after_its_end(string state, int requeued)
    {
        await Enqueue("a");
        if (state != "queued")
        {
            var job = (await Lease("one", Long))!;
            if (state != "leased") await database.Write(transaction => transaction.Finish(job, state, "the error"), default);
        }

        await database.Write(async transaction => (await transaction.Enqueue("train", "a", priority: 9)).ShouldBe(0), default);
        (await Row("a")).State.ShouldBe(state);
        (await database.Write(transaction => transaction.Requeue("train", "a"), default)).ShouldBe(requeued);

        (await Row("a")).ShouldBe(requeued == 1 ? ("queued", 0, null) : (state, 0, null));
        (await Lease("two", Long) is null).ShouldBe(state == "leased");
    }

    [Fact]
    public async Task After_a_crash_every_lease_can_be_taken_back_and_a_wish_to_cancel_survives()
    {
        await Run("a", "running");
        await Enqueue("a");
        await Lease("dead", Long);
        await DmlPipeline.Storage.State.RunRows.RequestCancel(database, "a", default);

        await database.ReleaseAll(default);

        var next = (await Lease("next", Long))!;
        next.Failures.ShouldBe(0);
        (await database.Heartbeat(next, Long, default)).ShouldBe(HeartbeatAnswer.CancelRequested);
    }

    private Task Enqueue(string subject) => database.Write(transaction => transaction.Enqueue("train", subject), default);

    private Task<LeasedJob?> Lease(string worker, TimeSpan lease) => database.Lease("train", worker, lease, default);

    private Task Run(string id, string state) => database.Write(transaction => RunSamples.Insert(transaction, id, state), default);

    private Task<(string State, int Failures, string? Error)> Row(string subject) =>
        database.QueryOne<(string, int, string?)>("select state, failures, error from jobs where kind = 'train' and subject = @subject", new { subject }, default);
}
