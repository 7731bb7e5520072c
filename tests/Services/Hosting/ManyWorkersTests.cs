using System.Collections.Concurrent;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using DmlPipeline.Storage.Work;

namespace DmlPipeline.Tests.Services.Hosting;

/// <summary>Several workers beside each other: devices, and room for what is urgent.</summary>
public sealed class ManyWorkersTests : IAsyncLifetime
{
    private static readonly GivingWay Soon = new() { After = TimeSpan.Zero, Undisturbed = TimeSpan.Zero };
    private static readonly WorkerDevice Gpu0 = Gpu("cuda:0", "GPU-0"), Gpu1 = Gpu("cuda:1", "GPU-1");

    private readonly TemporaryFolder folder = new();
    private readonly ConcurrentQueue<string> done = new();
    private Database database = null!;

    public async Task InitializeAsync() => database = await folder.OpenDatabase();

    public Task DisposeAsync()
    {
        database.Dispose();
        folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task An_urgent_job_takes_the_place_of_one_that_then_goes_on_elsewhere_and_has_not_failed()
    {
        await Enqueue("patient", JobPriority.Low);
        await using var first = Worker((job, cancel) => job.Subject == "patient" ? Task.Delay(Timeout.Infinite, cancel) : Finish(job, cancel), Gpu0);
        await first.StartAsync(default);
        await first.Running;

        await Enqueue("urgent", JobPriority.High);
        await Eventually.Holds(() => done.Contains("urgent"), "the urgent one was done");
        first.GaveWay.ShouldBe(1);
        await first.StopAsync(default);
        await using var second = Worker(Finish, Gpu1);
        await second.StartAsync(default);

        await Eventually.Holds(() => done.Count == 2, "the patient one was done");
        (await database.QueryOne<(string, int, int)>("select state, failures, gave_way from jobs where subject = 'patient'", null, default)).ShouldBe(("done", 0, 1));
        first.Failed.ShouldBeEmpty();
    }

    [Fact]
    public async Task One_job_a_device_and_a_worker_without_one_takes_none()
    {
        await Enqueue("a", JobPriority.Normal);
        await Enqueue("b", JobPriority.Normal);
        await Enqueue("c", JobPriority.Normal);
        await using var one = Worker((_, cancel) => Task.Delay(Timeout.Infinite, cancel), Gpu0, Gpu1);
        await using var two = Worker((_, cancel) => Task.Delay(Timeout.Infinite, cancel), Gpu0, Gpu1);
        await using var three = Worker((_, cancel) => Task.Delay(Timeout.Infinite, cancel), Gpu0, Gpu1);
        foreach (var worker in new[] { one, two, three }) await worker.StartAsync(default);

        await Eventually.Holds(async () => (await database.Workers(default)) is { Count: 3 } workers && workers.Count(worker => worker.JobId is not null) == 2, "two have jobs");

        var listed = await database.Workers(default);
        listed.Select(worker => worker.Device).Order().ShouldBe(["cuda:0", "cuda:1", "none"]);
        listed.Single(worker => !worker.HasDevice).JobId.ShouldBeNull();

        var workers = new[] { one, two, three };
        var idle = workers.Single(worker => worker.Attempts == 0);
        await workers.First(worker => worker.Attempts == 1).StopAsync(default);
        await Eventually.Holds(() => idle.Attempts == 1, "the device of the one that left is taken, and a job with it");
    }

    [Fact]
    public async Task A_worker_that_is_stopped_while_it_waits_after_an_error_leaves_its_device_to_others()
    {
        await Enqueue("a", JobPriority.Normal);
        await using var worker = new TestWorker(database, (_, _) => throw new PermanentException("no"), TimeSpan.FromSeconds(30)) { May = [Gpu0], FailedThrows = 1, Pause = TimeSpan.FromHours(1) };
        await worker.StartAsync(default);
        await Eventually.Holds(() => worker.FailedThrows == 0, "its failure could not be stored");

        await worker.StopAsync(default);

        (await database.Workers(default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_worker_that_another_took_the_device_from_takes_no_job_without_one()
    {
        await using var frozen = Worker(Finish, Gpu0);
        await frozen.StartAsync(default);
        await Eventually.Holds(async () => (await database.Workers(default)).Any(worker => worker.HasDevice), "it has its device");

        // As if it had been frozen for longer than its claim lasts.
        await database.Announce(new WorkerRow { Id = "other", Kind = "train", Host = "h", ProcessId = 1, Device = "cuda:0", LabelsJson = "{}", StartedAt = 0, SeenAt = 0 }, default);
        await database.Write(transaction => transaction.Execute("update workers set claim = null where id <> 'other'; update workers set claim = 'GPU-0' where id = 'other'"), default);
        await Eventually.Holds(async () => (await database.Workers(default)).Single(worker => worker.Id != "other") is { HasDevice: false }, "it noticed");
        await Enqueue("a", JobPriority.Normal);
        await Eventually.Holds(async () => (await database.Waiting("train", default)).Count == 1, "the job waits");
        done.ShouldBeEmpty();

        await database.Leave("other", default);
        await Eventually.Holds(() => done.Count == 1, "it took the device back and did the job");
    }

    private TestWorker Worker(Func<LeasedJob, CancellationToken, Task> work, params WorkerDevice[] devices) =>
        new(database, work, TimeSpan.FromMinutes(1)) { Gives = Soon, May = devices };

    private async Task Finish(LeasedJob job, CancellationToken cancel)
    {
        await database.Write(transaction => transaction.Finish(job), cancel);
        done.Enqueue(job.Subject);
    }

    private Task Enqueue(string subject, JobPriority priority) => database.Write(transaction => transaction.Enqueue("train", subject, (int)priority), default);

    private static WorkerDevice Gpu(string name, string claim) => new(name, claim, new Dictionary<string, string>(StringComparer.Ordinal) { ["gpu"] = "test" });
}
