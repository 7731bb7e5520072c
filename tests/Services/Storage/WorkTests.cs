using System.Text.Json;
using DmlPipeline.Storage;
using DmlPipeline.Storage.Work;

namespace DmlPipeline.Tests.Services.Storage;

public sealed class SqliteWorkTests() : WorkTests(new SqliteTestDatabase());

public sealed class PostgresWorkTests() : WorkTests(new PostgresTestDatabase());

/// <summary>Which worker gets which job, and what those that wait are told.</summary>
public abstract class WorkTests(TestDatabase databases) : IAsyncLifetime
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);
    private static readonly Dictionary<string, string> Cpu = new(StringComparer.Ordinal) { ["device"] = "cpu" };
    private static readonly Dictionary<string, string> BigGpu = new(StringComparer.Ordinal) { ["device"] = "cuda:0", ["gpu"] = "H200", ["gpu-memory"] = "143GB" };
    private static readonly GivingWay AtOnce = new() { After = TimeSpan.FromSeconds(-1), Undisturbed = TimeSpan.Zero };

    private Database database = null!;

    public async Task InitializeAsync() => database = await databases.Open();

    public async Task DisposeAsync()
    {
        database.Dispose();
        await databases.DisposeAsync();
    }

    [Fact]
    public async Task Datasets_take_turns_however_many_runs_one_of_them_asked_for()
    {
        await Queue(("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("b2", "b"), ("c1", "c"));

        (await LeaseAll()).ShouldBe(["a1", "b1", "c1", "a2", "b2", "a3"]);
    }

    [Fact]
    public async Task A_dataset_that_trained_in_the_last_hour_lets_others_go_first_and_before_that_it_does_not_count()
    {
        await Queue(("a0", "a"));
        var job = (await Lease("w"))!;
        await database.Write(transaction => transaction.Finish(job), default);
        await Queue(("a1", "a"), ("b1", "b"));

        (await database.Waiting("train", default)).Select(each => each.Subject).ShouldBe(["b1", "a1"]);
        await database.Write(transaction => transaction.Execute("update jobs set started_at = started_at - 3700000 where subject = 'a0'"), default);
        (await LeaseAll()).ShouldBe(["a1", "b1"]);
    }

    [Fact]
    public async Task Priority_goes_before_turns_and_after_a_day_low_goes_with_normal_but_never_before_high()
    {
        await Queue(("normal", "a"), ("low", "b"), ("high", "a"));
        await Priority("low", JobPriority.Low);
        await Priority("high", JobPriority.High);
        (await database.Waiting("train", default)).Select(each => each.Subject).ShouldBe(["high", "normal", "low"]);

        await database.Write(transaction => transaction.Execute("update jobs set created_at = created_at - 90000000 where subject = 'low'"), default);

        (await LeaseAll()).ShouldBe(["high", "low", "normal"]);
    }

    [Fact]
    public async Task A_run_goes_to_a_worker_that_has_what_it_needs_and_keeps_nobody_else_waiting()
    {
        await Queue(("large", "a"), ("small", "a"));
        await Needs("large", "gpu-memory>=40GB");

        (await Lease("small worker"))!.Subject.ShouldBe("small");
        (await Lease("small worker")).ShouldBeNull();
        (await Lease("large worker", BigGpu))!.Subject.ShouldBe("large");
    }

    [Fact]
    public async Task What_waits_says_why()
    {
        await Queue(("large", "a"), ("urgent", "b"), ("next", "c"), ("last", "d"), ("later", "e"));
        await Needs("large", "gpu-memory>=40GB");
        await Priority("urgent", JobPriority.High);
        await database.Write(transaction => transaction.Execute("update jobs set not_before = @later, error = 'no route to host' where subject = 'later'", new { later = Database.Now + 3_600_000 }), default);
        (await Why("next")).ShouldBe("no worker for training is running");

        await Announce("one", Cpu);
        await Announce("two", Cpu);
        (await Why("large")).ShouldBe("no worker with gpu-memory>=40GB (2 workers have cpu only)");
        (await Why("urgent")).ShouldBe("about to start");
        (await Why("last")).ShouldBe("waiting behind 1 run of higher priority and 1 of the same");
        (await Why("later")).ShouldMatch("^retry at [0-9]{2}:[0-9]{2}:[0-9]{2} after: no route to host$");

        (await Lease("one"))!.Subject.ShouldBe("urgent");
        (await Lease("two"))!.Subject.ShouldBe("next");
        (await Why("last")).ShouldBe("all 2 workers that can do it are busy");
        await Queue(("very last", "f"));
        (await Why("very last")).ShouldBe("waiting behind 1 run whose turn is first");
    }

    [Fact]
    public async Task An_urgent_run_makes_the_least_urgent_give_way_and_only_one()
    {
        await Running(("a", "one", Cpu, JobPriority.Normal), ("b", "two", Cpu, JobPriority.Low), ("c", "three", Cpu, JobPriority.Low));
        await database.Write(transaction => transaction.Execute("update jobs set started_at = started_at + 5000 where subject = 'c'"), default);
        await Queue(("urgent", "d"));
        await Priority("urgent", JobPriority.High);
        var rules = AtOnce with { Undisturbed = TimeSpan.FromSeconds(-10) };

        (await database.AskToGiveWay("train", rules, default)).ShouldBe(["train:c"], "of two low ones the one that began last has the least to lose");
        (await database.AskToGiveWay("train", rules, default)).ShouldBeEmpty("it was asked already");
        (await Why("urgent")).ShouldBe("c saves a checkpoint and makes room");

        var job = new LeasedJob("train:c", "train", "c", 0, 1, "three", null);
        (await database.Heartbeat(job, Long, default)).ShouldBe(HeartbeatAnswer.GiveWay);
        (await database.Write(transaction => transaction.GiveWay(job), default)).ShouldBeTrue();
        (await Lease("three"))!.Subject.ShouldBe("urgent");
        (await database.QueryOne<(string, int, int)>("select state, failures, gave_way from jobs where subject = 'c'", null, default)).ShouldBe(("queued", 0, 1));
    }

    [Fact]
    public async Task Nobody_gives_way_where_a_worker_is_free_or_for_one_who_could_not_use_the_room()
    {
        await Running(("a", "one", Cpu, JobPriority.Low));
        await Queue(("urgent", "d"));
        await Priority("urgent", JobPriority.High);
        await Needs("urgent", "gpu");
        (await database.AskToGiveWay("train", AtOnce, default)).ShouldBeEmpty("it needs a GPU, which the low one's worker has not");

        await Running(("b", "two", BigGpu, JobPriority.High));
        (await database.AskToGiveWay("train", AtOnce, default)).ShouldBeEmpty("the other is as urgent");

        await Announce("three", BigGpu);
        await database.Write(transaction => transaction.Execute("update jobs set priority = -1 where subject = 'b'"), default);
        (await database.AskToGiveWay("train", AtOnce, default)).ShouldBeEmpty("a worker is free");
    }

    [Fact]
    public async Task A_run_that_gave_way_is_left_in_peace_for_twice_as_long()
    {
        await Running(("a", "one", Cpu, JobPriority.Low));
        await Queue(("urgent", "d"));
        await Priority("urgent", JobPriority.High);
        var rules = AtOnce with { Undisturbed = TimeSpan.FromMinutes(1) };
        await RanFor(minutes: 0);
        (await database.AskToGiveWay("train", rules, default)).ShouldBeEmpty();

        await RanFor(minutes: 1.5);
        await database.Write(transaction => transaction.Execute("update jobs set gave_way = 1 where subject = 'a'"), default);
        (await database.AskToGiveWay("train", rules, default)).ShouldBeEmpty();
        await RanFor(minutes: 2.5);
        (await database.AskToGiveWay("train", rules, default)).ShouldBe(["train:a"]);

        Task RanFor(double minutes) => database.Write(transaction => transaction.Execute(
            "update jobs set started_at = @began where subject = 'a'", new { began = Database.Now - (long)(minutes * 60_000) }), default);
    }

    [Fact]
    public async Task Two_workers_never_have_the_same_device_until_one_falls_silent()
    {
        using var other = await databases.Open();
        await Announce("one", BigGpu);
        await Announce("two", BigGpu);

        var claims = await Task.WhenAll(database.Claim("one", "GPU-1", default), other.Claim("two", "GPU-1", default));
        claims.Count(claimed => claimed).ShouldBe(1);
        var (has, waits) = claims[0] ? ("one", "two") : ("two", "one");
        (await database.Claim(has, "GPU-1", default)).ShouldBeTrue("its own it may claim again");
        (await database.Claim(waits, "GPU-2", default)).ShouldBeTrue("another device is free");

        await database.Write(transaction => transaction.Execute("update workers set claim = null where id = @waits; update workers set seen_at = seen_at - 40000 where id = @has", new { has, waits }), default);
        (await database.Claim(waits, "GPU-1", default)).ShouldBeTrue();
        (await database.HasClaim(has, default)).ShouldBeFalse();
        (await database.Workers(default)).ShouldHaveSingleItem().Id.ShouldBe(waits);
    }

    [Fact]
    public async Task A_worker_is_listed_with_what_it_works_on_until_it_leaves()
    {
        await Running(("a", "one", BigGpu, JobPriority.Normal));

        var worker = (await database.Workers(default)).ShouldHaveSingleItem();
        (worker.Kind, worker.Device, worker.Subject, worker.Labels["gpu-memory"]).ShouldBe(("train", "cuda:0", "a", "143GB"));

        await database.Leave("one", default);
        (await database.Workers(default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_worker_that_never_left_is_forgotten_with_old_messages()
    {
        await Announce("killed", Cpu);
        await database.Write(transaction => transaction.Execute("update workers set seen_at = 0"), default);
        await Announce("there", Cpu);

        await database.ForgetBefore(DateTimeOffset.UtcNow.AddDays(-30), default);

        (await database.Query<string>("select id from workers", null, default)).ShouldBe(["there"]);
    }

    private async Task<List<string>> LeaseAll()
    {
        var order = new List<string>();
        while (await Lease("w") is { } job) order.Add(job.Subject);
        return order;
    }

    private Task<LeasedJob?> Lease(string worker, Dictionary<string, string>? labels = null) => database.Lease("train", worker, labels ?? Cpu, Long, default);

    private Task Queue(params (string Subject, string Dataset)[] jobs) => database.Write(async transaction =>
    {
        foreach (var (subject, dataset) in jobs) await transaction.Enqueue("train", subject, share: dataset);
        for (var i = 0; i < jobs.Length; i++) await transaction.Execute("update jobs set created_at = created_at - @age where subject = @Subject", new { jobs[i].Subject, age = 1000 - i });
    }, default);

    private Task Priority(string subject, JobPriority priority) =>
        database.Write(transaction => transaction.Execute("update jobs set priority = @priority where subject = @subject", new { subject, priority = (int)priority }), default);

    private Task Needs(string subject, string needs) => database.Write(transaction => transaction.Execute("update jobs set needs = @needs where subject = @subject", new { subject, needs }), default);

    private Task Announce(string worker, Dictionary<string, string> labels) => database.Announce(
        new WorkerRow { Id = worker, Kind = "train", Host = "host", ProcessId = 1, Device = labels["device"], LabelsJson = JsonSerializer.Serialize(labels), StartedAt = 0, SeenAt = 0 }, default);

    private async Task Running(params (string Subject, string Worker, Dictionary<string, string> Labels, JobPriority Priority)[] jobs)
    {
        foreach (var (subject, worker, labels, priority) in jobs)
        {
            await Announce(worker, labels);
            await database.Write(transaction => transaction.Enqueue("train", subject, (int)JobPriority.High + 1), default);
            (await Lease(worker, labels))!.Subject.ShouldBe(subject);
            await Priority(subject, priority);
        }
    }

    private async Task<string> Why(string subject) => (await database.Waiting("train", default)).Single(job => job.Subject == subject).Why;
}
