using System.Net.Sockets;
using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;
using DmlPipeline.Storage.State;
using DmlPipeline.Tests.Services.Storage;
using Npgsql;

namespace DmlPipeline.Tests.Services.Hosting;

public sealed class JobWorkerTests : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private Database database = null!;

    public async Task InitializeAsync()
    {
        database = await folder.OpenDatabase();
        await database.Write(async transaction =>
        {
            await RunSamples.Insert(transaction, "a", "running");
            await transaction.Enqueue("train", "a");
        }, default);
    }

    public Task DisposeAsync()
    {
        database.Dispose();
        folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_job_is_done_with_its_effect()
    {
        await using var worker = await Start((job, _) => Finish(job, "done"));

        await State("done");

        (await Published()).ShouldBe(["done"]);
        worker.Failed.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_job_that_took_its_process_down_again_and_again_fails_at_last()
    {
        await Started(JobTiming.Default.MostStarts);

        await using var worker = await Start((job, _) => Finish(job, "done"));

        await State("failed");
        worker.Attempts.ShouldBe(0);
        worker.Failed.ShouldHaveSingleItem().ShouldContain("memory");
    }

    [Fact]
    public async Task Lasting_progress_makes_earlier_starts_count_no_more()
    {
        await Started(JobTiming.Default.MostStarts - 1);
        var job = (await database.Lease("train", "first", TimeSpan.FromMinutes(1), default))!;
        job.Starts.ShouldBe(JobTiming.Default.MostStarts);

        await database.MadeProgress(job, default);
        await database.ReleaseAll(default);

        (await database.Lease("train", "second", TimeSpan.FromMinutes(1), default))!.Starts.ShouldBe(2);
    }

    private Task Started(int times) => database.Write(transaction => transaction.Execute("update jobs set leases = @times", new { times }), default);

    [Fact]
    public async Task A_failure_is_tried_again_after_growing_delays_and_the_fifth_is_the_last()
    {
        await using var worker = await Start((_, _) => throw new IOException("the file is busy"));

        for (var failure = 1; failure <= 4; failure++)
        {
            await Eventually.Holds(async () => (await Row()).Failures == failure, $"failure {failure} was noted");
            var row = await Row();
            (row.State, row.Error).ShouldBe(("queued", "the file is busy"));
            row.Wait.ShouldBe(worker.Waits[failure - 1], tolerance: TimeSpan.FromMinutes(5));
            worker.Failed.ShouldBeEmpty();
            await database.Write(transaction => transaction.Execute("update jobs set not_before = 0"), default);
        }

        await State("failed");
        worker.Failed.ShouldBe(["the file is busy"]);
        worker.Attempts.ShouldBe(5);
        JobTiming.Default.RetryAfter.ShouldBeInOrder();
        JobTiming.Default.RetryAfter.Count.ShouldBe(worker.Waits.Count);
    }

    [Fact]
    public async Task A_job_that_has_to_wait_its_turn_comes_back_without_having_failed()
    {
        await using var worker = await Start((job, _) => throw new PostponedException(TimeSpan.FromHours(1), "another goes first"));

        await Eventually.Holds(async () => (await Row()).State == "queued" && worker.Attempts == 1, "the job was handed back");
        var row = await Row();
        (row.Failures, row.Error).ShouldBe((0, "another goes first"));
        row.Wait.ShouldBe(TimeSpan.FromHours(1), tolerance: TimeSpan.FromMinutes(5));
    }

    public static TheoryData<Exception, TimeSpan, string> Circumstances => new()
    {
        {
            new IOException("No space left on device : '/data/x'", hresult: 28), JobTiming.Default.RetryWhenFull,
            "there is no room left: No space left on device : '/data/x'. Free some; it goes on by itself"
        },
        {
            new IOException("It could not be read.", new StoreException(null, "The S3 server gave no answer.") { IsOutage = true }), JobTiming.Default.RetryAfterOutage,
            "It could not be read. When that is over it goes on by itself"
        },
        {
            new NpgsqlException("Failed to connect to 127.0.0.1:5432", new SocketException((int)SocketError.ConnectionRefused)), JobTiming.Default.RetryAfterOutage,
            "Failed to connect to 127.0.0.1:5432. When that is over it goes on by itself"
        },
    };

    [Theory]
    [MemberData(nameof(Circumstances))]
    public async Task A_full_disk_or_a_server_that_is_away_fails_no_job_however_long_it_takes(Exception error, TimeSpan wait, string told)
    {
        await using var worker = await Start((_, _) => throw error);

        for (var attempt = 1; attempt <= 6; attempt++)
        {
            await Eventually.Holds(async () => worker.Attempts == attempt && (await Row()).State == "queued", $"attempt {attempt} was handed back");
            var row = await Row();
            (row.Failures, row.Error).ShouldBe((0, told));
            row.Wait.ShouldBe(wait, tolerance: TimeSpan.FromSeconds(1));
            await database.Write(transaction => transaction.Execute("update jobs set not_before = 0"), default);
        }

        worker.Failed.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_permanent_error_fails_the_job_at_once()
    {
        await using var worker = await Start((_, _) => throw new PermanentException("no such dataset"));

        await State("failed");

        (worker.Attempts, worker.Failed.Single(), (await Row()).Error).ShouldBe((1, "no such dataset", "no such dataset"));
    }

    [Fact]
    public async Task A_time_out_inside_the_work_is_a_failure_and_no_request_to_stop()
    {
        await using var worker = await Start((_, _) => throw new TaskCanceledException("the request timed out"));

        await Eventually.Holds(async () => (await Row()).Failures == 1, "the failure was noted");
    }

    [Fact]
    public async Task A_request_to_cancel_stops_the_work()
    {
        await using var worker = await Start(UntilStopped);
        await worker.Running;

        await database.RequestCancel("a", default);
        await State("cancelled");

        (worker.Cancelled, worker.Failed.Count).ShouldBe((1, 0));
    }

    [Fact]
    public async Task A_request_to_cancel_that_comes_too_late_changes_nothing()
    {
        var finish = new TaskCompletionSource();
        await using var worker = await Start(async (job, _) =>
        {
            await finish.Task;
            await Finish(job, "done");
        });
        await worker.Running;

        await database.RequestCancel("a", default);
        await Eventually.Holds(() => worker.StopRequested, "the work was asked to stop");
        finish.SetResult();

        await State("done");
        worker.Cancelled.ShouldBe(0);
    }

    [Fact]
    public async Task A_stopping_process_hands_its_job_back()
    {
        await using (var worker = await Start(UntilStopped))
        {
            await worker.Running;
            await worker.StopAsync(default);
            (await Row()).ShouldSatisfyAllConditions(row => row.State.ShouldBe("queued"), row => row.Failures.ShouldBe(0), row => row.Error.ShouldBeNull());
        }

        await using var next = await Start((job, _) => Finish(job, "done"));
        await State("done");
    }

    [Fact]
    public async Task Work_whose_lease_was_lost_is_stopped_and_its_job_left_to_the_other()
    {
        await using var worker = await Start(UntilStopped);
        await worker.Running;

        await TakeOver();
        await Eventually.Holds(() => worker.Ended == 1, "the work stopped");
        await NextJobIsDone(worker);

        (await Row()).ShouldSatisfyAllConditions(row => row.State.ShouldBe("leased"), row => row.LeasedBy.ShouldBe("another"), row => row.Failures.ShouldBe(0));
        (worker.Cancelled, worker.Failed.Count).ShouldBe((0, 0));
    }

    [Fact]
    public async Task A_result_that_comes_after_the_lease_was_lost_is_dropped()
    {
        await using var worker = await Start(async (job, _) =>
        {
            await TakeOver();
            await Finish(job, "late");
        });

        await Eventually.Holds(() => worker.Ended == 1, "the work ended");
        await NextJobIsDone(worker);

        (await Row()).LeasedBy.ShouldBe("another");
        (await Published()).ShouldBe(["next"]);
        worker.Failed.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_job_whose_end_could_not_be_stored_is_leased_again()
    {
        // A hundred heartbeats long: had the first attempt left its heartbeat behind, the lease would never end.
        await using var worker = await Start((_, _) => throw new PermanentException("no"), leaseFor: TimeSpan.FromSeconds(2), failedThrows: 1);

        await State("failed");

        worker.Attempts.ShouldBe(2);
    }

    private async Task<TestWorker> Start(Func<LeasedJob, CancellationToken, Task> run, TimeSpan? leaseFor = null, int failedThrows = 0)
    {
        var worker = new TestWorker(database, run, leaseFor ?? TimeSpan.FromMinutes(1)) { FailedThrows = failedThrows };
        await worker.StartAsync(default);
        return worker;
    }

    private static Task UntilStopped(LeasedJob job, CancellationToken cancel) => Task.Delay(Timeout.Infinite, cancel);

    private Task Finish(LeasedJob job, string result) => database.Write(async transaction =>
    {
        await transaction.Publish(new PrepareDataset(result, "birds"));
        await transaction.Finish(job);
    }, default);

    private Task TakeOver() => database.Write(transaction => transaction.Execute("update jobs set leased_by = 'another' where subject = 'a'"), default);

    private async Task NextJobIsDone(TestWorker worker)
    {
        worker.Work = (job, _) => Finish(job, "next");
        await database.Write(transaction => transaction.Enqueue("train", "next"), default);
        await Eventually.Holds(async () => await database.QueryOne<string>("select state from jobs where subject = 'next'", null, default) == "done", "the next job is done");
    }

    private Task State(string state) => Eventually.Holds(async () => (await Row()).State == state, $"the job is {state}");

    private async Task<JobRow> Row() => (await database.QueryOne<JobRow>("select * from jobs where subject = 'a'", null, default))!;

    private async Task<IEnumerable<string>> Published() =>
        await database.Query<string>("select json_extract(body_json, '$.dropId') from outbox order by id", null, default);

    private sealed record JobRow
    {
        public required string State { get; init; }
        public required int Failures { get; init; }
        public required long NotBefore { get; init; }
        public required long UpdatedAt { get; init; }
        public string? LeasedBy { get; init; }
        public string? Error { get; init; }

        public TimeSpan Wait => TimeSpan.FromMilliseconds(NotBefore - UpdatedAt);
    }
}
