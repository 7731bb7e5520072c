using DmlPipeline.Contracts;
using DmlPipeline.Scheduling;
using DmlPipeline.Storage;
using DmlPipeline.Tests.Services.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Tests.Services.Scheduling;

public sealed class SqliteScheduleTests() : ScheduleTests(new SqliteTestDatabase());

public sealed class PostgresScheduleTests() : ScheduleTests(new PostgresTestDatabase())
{
    [Fact]
    public async Task However_many_schedulers_run_each_time_asks_once()
    {
        using var other = await Databases.Open();
        await HasVersions("birds", 1);
        using (await Start(Database, ("birds", "* * * * * ?")))
        using (await Start(other, ("birds", "* * * * * ?")))
            await Eventually.Holds(async () => (await Asked()).Count >= 4, "four times came");

        var asked = await Asked();
        asked.Select(fired => fired.Time).ShouldBeUnique();
        asked.Count.ShouldBe(await Database.QueryOne<int>("select count(*) from schedule_fires", null, default));
    }
}

public abstract class ScheduleTests(TestDatabase databases) : IAsyncLifetime
{
    private static readonly DateTimeOffset Night = new(2027, 3, 1, 2, 30, 0, TimeSpan.Zero);

    protected TestDatabase Databases => databases;

    protected Database Database { get; private set; } = null!;

    public async Task InitializeAsync() => Database = await databases.Open();

    public async Task DisposeAsync()
    {
        Database.Dispose();
        await databases.DisposeAsync();
    }

    [Fact]
    public async Task A_time_that_comes_asks_whether_to_train_on_the_latest_version()
    {
        await HasVersions("birds", 2);

        using var host = await Start(Database, ("birds", "* * * * * ?"));
        await Eventually.Holds(async () => (await Asked()).Count > 0, "the time came");

        var fired = (await Asked())[0];
        (fired.Schedule, fired.Dataset, fired.DatasetVersion, fired.Reason).ShouldBe(("birds", "birds", 2, "its time came"));
    }

    [Fact]
    public async Task A_time_that_two_schedulers_saw_come_asks_once()
    {
        await HasVersions("birds", 1);
        await Has(Nightly);
        using var other = await databases.Open();

        await Task.WhenAll(Enumerable.Range(0, 10).Select(i => At(Night.AddSeconds(1), i % 2 == 0 ? Database : other).FireDue("nightly", default)));

        (await Asked()).ShouldHaveSingleItem().Time.ShouldBe(Night);
        await At(Night.AddDays(1)).FireDue("nightly", default);
        (await Asked()).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_scheduler_that_dies_in_the_middle_of_a_fire_leaves_it_to_another()
    {
        await HasVersions("birds", 1);
        await Has(Nightly);
        // Whatever a transaction had written when its process died is undone.
        await Should.ThrowAsync<OperationCanceledException>(() => Database.Write(async transaction =>
        {
            await transaction.Execute("update schedules set looked_until = @now", new { now = Night.AddHours(1).ToUnixTimeMilliseconds() });
            throw new OperationCanceledException("killed");
        }, default));

        await At(Night.AddMinutes(1)).FireDue(default);

        (await Asked()).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Without_a_version_there_is_nothing_to_ask_for_also_when_one_comes_later()
    {
        await Has(Nightly);
        await At(Night.AddSeconds(1)).FireDue("nightly", default);
        await HasVersions("birds", 1);
        await At(Night.AddHours(1)).FireDue("nightly", default);

        (await Asked()).ShouldBeEmpty();
        (await Database.Fires("nightly", 10, default)).ShouldHaveSingleItem().Reason.ShouldBe("its time came; there is no version of birds to train on yet");
    }

    [Fact]
    public async Task A_time_that_was_missed_while_no_scheduler_ran_is_caught_up_once()
    {
        await HasVersions("birds", 1);
        using (await Start(Database, ("birds", "0 3 * * *")))
        {
        }
        // Three years in which nothing ran.
        await Database.Write(transaction => transaction.Execute(
            "update schedules set looked_until = looked_until - @years", new { years = (long)TimeSpan.FromDays(3 * 366).TotalMilliseconds }), default);

        using (await Start(Database, ("birds", "0 3 * * *"))) await Eventually.Holds(async () => (await Asked()).Count > 0, "the missed time was caught up");
        using (await Start(Database, ("birds", "0 3 * * *")))
        {
        }

        (await Asked()).ShouldHaveSingleItem();
        (await Database.Fires("birds", 100, default)).Count(fire => fire.Outcome == "skipped").ShouldBeGreaterThan(30);
    }

    [Fact]
    public async Task A_schedule_that_the_settings_no_longer_name_is_taken_away_and_others_stay()
    {
        await Has(Nightly);
        using (await Start(Database, ("birds", "* * * * * ?"), ("bees", "0 0 3 1 1 ?")))
        {
        }

        using (await Start(Database, ("bees", "0 0 4 1 1 ?")))
        {
        }

        (await Database.Schedules(default)).Select(row => (row.Name, row.Definition.Cron)).ShouldBe([("bees", "0 0 4 1 1 ?"), ("nightly", "30 2 * * *")]);
        (await Database.Query<string>("select trigger_name from qrtz_triggers where trigger_group = 'schedules' order by trigger_name", null, default)).ShouldBe(["bees", "nightly"]);
    }

    [Fact]
    public async Task A_running_scheduler_notices_what_others_add_and_pause()
    {
        await HasVersions("birds", 1);
        using var host = await Start(Database);

        await Has(Nightly with { Cron = "* * * * * ?" }, DateTimeOffset.UtcNow);
        await Eventually.Holds(async () => (await Asked()).Count > 0, "the new schedule fired");
        await Database.Write(transaction => transaction.Pause("nightly", paused: true, Database.Now), default);
        await Eventually.Holds(async () => await Database.QueryOne<int>("select count(*) from qrtz_triggers where trigger_group = 'schedules'", null, default) == 0, "it rests");
    }

    [Fact]
    public async Task What_comes_while_a_schedule_rests_is_not_caught_up_with()
    {
        await HasVersions("birds", 1);
        await Has(Nightly);
        await Database.Write(transaction => transaction.Pause("nightly", paused: true, Night.ToUnixTimeMilliseconds()), default);
        await At(Night.AddDays(3)).FireDue(default);
        await Database.Write(transaction => transaction.Pause("nightly", paused: false, Night.AddDays(3).ToUnixTimeMilliseconds()), default);

        await At(Night.AddDays(3).AddHours(1)).FireDue(default);

        (await Asked()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_schedule_waits_for_its_own_trainings_that_are_under_way()
    {
        await HasVersions("birds", 1);
        await Has(Nightly);
        await At(Night.AddSeconds(1)).FireDue(default);
        await IsTraining("nightly", Night, "birds-v1-a");

        await At(Night.AddDays(1)).FireDue(default);
        await Database.Write(transaction => transaction.Execute("update runs set state = 'registered'"), default);
        await At(Night.AddDays(2)).FireDue(default);

        (await Database.Fires("nightly", 10, default)).Select(fire => fire.Outcome).ShouldBe(["asked", "skipped", "asked"]);
        (await Database.Fires("nightly", 10, default))[1].Reason.ShouldContain("birds-v1-a is still under way");
    }

    [Fact]
    public async Task A_fire_by_hand_comes_at_once_and_may_be_forced()
    {
        await HasVersions("birds", 1);
        await Has(Nightly);

        var fire = await At(Night.AddHours(-1)).FireByHand("nightly", force: true, default);

        fire.ShouldNotBeNull().Reason.ShouldBe("asked for by hand");
        (await Asked()).ShouldHaveSingleItem().Force.ShouldBeTrue();
        (await At(Night.AddHours(-1)).FireByHand("nightly", force: true, default)).ShouldNotBeNull("asked for again in the same millisecond").FireTime.ShouldBe(fire.FireTime + 1);
        (await At(Night).FireByHand("unknown", force: false, default)).ShouldBeNull();
    }

    protected async Task HasVersions(string dataset, int versions)
    {
        for (var version = 1; version <= versions; version++)
            await Database.Write(transaction => transaction.Execute(
                """
                insert into dataset_versions (dataset, version, drop_id, manifest_json, manifest_ref_json, images, classes, created_at)
                values (@dataset, @version, @drop, '{}', '{}', 1, 1, 0)
                """, new { dataset, version, drop = $"{dataset}-{version}" }), default);
    }

    protected async Task<IReadOnlyList<ScheduleFired>> Asked() =>
        [.. (await Database.Query<string>("select body_json from outbox where type = 'ScheduleFired' order by id", null, default))
            .Select(json => System.Text.Json.JsonSerializer.Deserialize<ScheduleFired>(json, ContractJson.Compact)!)];

    protected static async Task<IHost> Start(Database database, params (string Dataset, string Cron)[] schedules)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(schedules.Select(schedule => KeyValuePair.Create($"Schedules:{schedule.Dataset}:Cron", (string?)schedule.Cron)));
        builder.Services.AddSingleton(database).AddScheduling(database);
        var host = builder.Build();
        await host.StartAsync();
        return new Stopped(host);
    }

    private static ScheduleDefinition Nightly { get; } = new() { Name = "nightly", Dataset = "birds", Cron = "30 2 * * *" };

    private Task Has(ScheduleDefinition schedule, DateTimeOffset? since = null) =>
        Database.Write(transaction => transaction.Put(schedule, ScheduleRows.FromCommandLine, paused: null, (since ?? Night.AddHours(-3)).ToUnixTimeMilliseconds()), default);

    private ScheduleFiring At(DateTimeOffset now, Database? database = null) => new(database ?? Database, new StoppedClock(now), NullLogger<ScheduleFiring>.Instance);

    private Task IsTraining(string schedule, DateTimeOffset fired, string run) => Database.Write(transaction => transaction.Execute(
        """
        insert into runs (id, dataset, dataset_version, recipe_json, recipe_hash, requested_by, reason, state, created_at) values (@run, 'birds', 1, '{}', '', 'schedule', '', 'running', 0);
        insert into training_decisions (id, dataset, version, cause, schedule, fire_time, recipe, state, run_id, reason, decided_at)
        values (@run, 'birds', 1, 'schedule', @schedule, @fired, '', 'decided', @run, 'a test', 0)
        """, new { schedule, fired = fired.ToUnixTimeMilliseconds(), run }), default);

    private sealed class StoppedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }

    /// <summary>Stops when it is disposed: a scheduler that is only dropped goes on.</summary>
    private sealed class Stopped(IHost host) : IHost
    {
        public IServiceProvider Services => host.Services;

        public Task StartAsync(CancellationToken cancellationToken = default) => host.StartAsync(cancellationToken);

        public Task StopAsync(CancellationToken cancellationToken = default) => host.StopAsync(cancellationToken);

        public void Dispose()
        {
            Task.Run(() => host.StopAsync()).Wait();
            host.Dispose();
        }
    }
}

public sealed class ScheduleOptionTests
{
    [Theory]
    [InlineData("30 2 * * *", "UTC")]
    [InlineData("0 30 2 * * ?", "Europe/Berlin")]
    [InlineData("0 9 * * 1-5", "America/New_York")]
    public void A_schedule_is_written_as_in_a_crontab_or_as_quartz_reads_it(string cron, string timeZone) =>
        Validate(new DatasetSchedule { Cron = cron, TimeZone = timeZone }).Succeeded.ShouldBeTrue();

    [Theory]
    [InlineData("", "UTC", "Schedules:birds:Cron")]
    [InlineData("every night", "UTC", "Schedules:birds:Cron")]
    [InlineData("30 2 30 2 *", "UTC", "Schedules:birds:Cron")]
    [InlineData("30 2 * * *", "Berlin", "Schedules:birds:TimeZone")]
    public void A_schedule_that_could_never_come_is_refused_by_name_with_an_example(string cron, string timeZone, string setting)
    {
        var failure = Validate(new DatasetSchedule { Cron = cron, TimeZone = timeZone }).FailureMessage.ShouldNotBeNull();

        failure.ShouldContain(setting);
        failure.ShouldContain("write");
    }

    [Fact]
    public void Every_other_mistake_is_named_as_well()
    {
        var failure = Validate(new DatasetSchedule { Cron = "0 9 * * 1-5", Except = "sunday,someday", Jitter = "soon", Missed = "perhaps", MaxConcurrent = -1 }).FailureMessage!;

        foreach (var option in new[] { "Except 'someday'", "Jitter", "Missed 'perhaps'", "MaxConcurrent" }) failure.ShouldContain($"Schedules:birds:{option}");
    }

    private static ValidateOptionsResult Validate(DatasetSchedule schedule) =>
        new SchedulingOptionsValidator().Validate(name: null, new SchedulingOptions { Datasets = { ["birds"] = schedule } });
}
