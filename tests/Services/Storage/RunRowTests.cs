using DmlPipeline.Contracts;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Tests.Services.Storage;

public sealed class SqliteRunRowTests() : RunRowTests(new SqliteTestDatabase());

public sealed class PostgresRunRowTests() : RunRowTests(new PostgresTestDatabase());

public abstract class RunRowTests(TestDatabase databases) : IAsyncLifetime
{
    private Database database = null!;

    public async Task InitializeAsync() => database = await databases.Open();

    public async Task DisposeAsync()
    {
        database.Dispose();
        await databases.DisposeAsync();
    }

    [Theory]
    [InlineData("queued", "queued", "cancelled", "cancelled", false)]
    [InlineData("running", "leased", "running", "leased", true)]
    [InlineData("running", "queued", "cancelled", "cancelled", false)] // handed back when the pipeline stopped
    [InlineData("trained", "done", "trained", "done", false)]
    [InlineData("registered", "done", "registered", "done", false)]
    [InlineData("failed", "failed", "failed", "failed", false)]
    [InlineData("cancelled", "cancelled", "cancelled", "cancelled", false)]
    public async Task Cancelling_ends_what_waits_and_asks_what_runs(string run, string job, string runAfter, string jobAfter, bool asked)
    {
        await Store(run, ("train", job));

        (await database.RequestCancel("a", default)).ShouldBe(runAfter);

        (await State()).ShouldBe((runAfter, jobAfter, asked));
    }

    [Fact]
    public async Task A_cancelled_run_that_has_no_job_yet_gets_none_and_can_be_resumed()
    {
        await Store("queued");

        (await database.RequestCancel("a", default)).ShouldBe("cancelled");

        (await database.Write(transaction => transaction.Enqueue("train", "a"), default)).ShouldBe(0);
        (await State()).ShouldBe(("cancelled", "cancelled", false));
        (await database.Resume("a", default)).ShouldBeTrue();
    }

    [Fact]
    public async Task Cancelling_what_waits_is_published()
    {
        await Store("queued", ("train", "queued"));

        await database.RequestCancel("a", default);
        await database.RequestCancel("a", default);

        (await database.Unsent(10, default)).ShouldHaveSingleItem().Type.ShouldBe(nameof(TrainingCancelled));
    }

    [Theory]
    [InlineData("queued", "queued", false)]
    [InlineData("running", "leased", false)]
    [InlineData("trained", "done", false)]
    [InlineData("evaluated", "done", false)]
    [InlineData("registered", "done", false)]
    [InlineData("cancelled", "cancelled", true)]
    [InlineData("failed", "failed", true)]
    public async Task Only_an_ended_run_is_resumed(string run, string job, bool resumed)
    {
        await Store(run, ("train", job));

        (await database.Resume("a", default)).ShouldBe(resumed);

        (await State()).ShouldBe(resumed ? ("queued", "queued", false) : (run, job, false));
        if (resumed) (await database.Run("a", default))!.ShouldSatisfyAllConditions(row => row.Error.ShouldBeNull(), row => row.FinishedAt.ShouldBeNull());
    }

    [Fact]
    public async Task A_run_whose_evaluation_failed_is_evaluated_again_and_not_trained()
    {
        await Store("failed", ("train", "done"), ("evaluate", "failed"));

        (await database.Resume("a", default)).ShouldBeTrue();

        (await State()).ShouldBe(("trained", "done", false));
        (await database.Lease("evaluate", "worker", TimeSpan.FromMinutes(1), default)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_run_that_failed_after_its_evaluation_is_trained_and_evaluated_anew()
    {
        await Store("failed", ("train", "done"), ("evaluate", "done"));

        (await database.Resume("a", default)).ShouldBeTrue();

        (await State()).ShouldBe(("queued", "queued", false));
        (await database.Write(transaction => transaction.Enqueue("evaluate", "a"), default)).ShouldBe(1);
    }

    [Fact]
    public async Task A_run_that_cannot_be_queued_is_left_as_it_was()
    {
        await Store("failed");

        (await database.Resume("a", default)).ShouldBeFalse();

        (await database.Run("a", default))!.State.ShouldBe("failed");
    }

    [Fact]
    public async Task An_unknown_run_is_neither_cancelled_nor_resumed()
    {
        (await database.RequestCancel("none", default)).ShouldBeNull();
        (await database.Resume("none", default)).ShouldBeFalse();
    }

    private Task Store(string run, params (string Kind, string State)[] jobs) => database.Write(async transaction =>
    {
        await RunSamples.Insert(transaction, "a", run);
        await transaction.Execute("update runs set error = 'the error', finished_at = 5 where state in ('failed', 'cancelled')");
        foreach (var (kind, state) in jobs)
        {
            await transaction.Enqueue(kind, "a");
            await transaction.Execute("update jobs set state = @state where kind = @kind", new { kind, state });
        }
    }, default);

    private Task<(string Run, string Job, bool CancelRequested)> State() =>
        database.QueryOne<(string, string, bool)>("select r.state, j.state, j.cancel_requested from runs r join jobs j on j.subject = r.id and j.kind = 'train'", null, default);
}
