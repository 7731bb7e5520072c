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
        asked.Select(train => train.RunId).ShouldBeUnique();
        asked.Count.ShouldBe(await Database.QueryOne<int>("select count(*) from schedule_fires", null, default));
    }
}

public abstract class ScheduleTests(TestDatabase databases) : IAsyncLifetime
{
    private static readonly DateTimeOffset Night = new(2026, 3, 1, 2, 30, 0, TimeSpan.Zero);

    protected TestDatabase Databases => databases;

    protected Database Database { get; private set; } = null!;

    public async Task InitializeAsync() => Database = await databases.Open();

    public async Task DisposeAsync()
    {
        Database.Dispose();
        await databases.DisposeAsync();
    }

    [Fact]
    public async Task A_time_that_comes_asks_for_a_training_on_the_latest_version()
    {
        await HasVersions("birds", 2);

        using var host = await Start(Database, ("birds", "* * * * * ?"));
        await Eventually.Holds(async () => (await Asked()).Count > 0, "the time came");

        var train = (await Asked())[0];
        (train.Dataset, train.DatasetVersion, train.RequestedBy).ShouldBe(("birds", 2, "schedule"));
        train.RunId.ShouldStartWith("birds-v2-");
    }

    [Fact]
    public async Task A_time_that_two_schedulers_saw_come_asks_once()
    {
        await HasVersions("birds", 1);
        using var other = await databases.Open();

        await Task.WhenAll(Enumerable.Range(0, 10).Select(i => Ask(i % 2 == 0 ? Database : other, "birds", Night)));

        (await Asked()).ShouldHaveSingleItem().RunId.ShouldBe("birds-v1-20260301t023000");
        await Ask(Database, "birds", Night.AddDays(1));
        (await Asked()).Count.ShouldBe(2);
    }

    [Fact]
    public async Task Without_a_version_there_is_nothing_to_ask_for_also_when_one_comes_later()
    {
        await Ask(Database, "birds", Night);
        await HasVersions("birds", 1);
        await Ask(Database, "birds", Night);

        (await Asked()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_time_that_was_missed_while_no_scheduler_ran_is_caught_up_once()
    {
        await HasVersions("birds", 1);
        using (await Start(Database, ("birds", "0 0 3 1 1 ?")))
        {
        }
        // Three years in which nothing ran.
        await Database.Write(transaction => transaction.Execute(
            "update qrtz_triggers set next_fire_time = next_fire_time - @years", new { years = TimeSpan.FromDays(3 * 366).Ticks }), default);

        using (await Start(Database, ("birds", "0 0 3 1 1 ?"))) await Eventually.Holds(async () => (await Asked()).Count > 0, "the missed time was caught up");
        using (await Start(Database, ("birds", "0 0 3 1 1 ?")))
        {
        }

        (await Asked()).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_schedule_that_was_changed_or_taken_away_no_longer_asks()
    {
        using (await Start(Database, ("birds", "* * * * * ?"), ("bees", "0 0 3 1 1 ?")))
        {
        }

        using (await Start(Database, ("bees", "0 0 4 1 1 ?")))
        {
        }

        (await Database.Query<(string, string)>(
                "select t.trigger_name, c.cron_expression from qrtz_triggers t join qrtz_cron_triggers c on c.trigger_name = t.trigger_name and c.trigger_group = t.trigger_group",
                null, default))
            .ShouldBe([("bees", "0 0 4 1 1 ?")]);
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

    protected async Task<IReadOnlyList<TrainModel>> Asked() =>
        [.. (await Database.Query<string>("select body_json from outbox where type = 'TrainModel' order by id", null, default))
            .Select(json => System.Text.Json.JsonSerializer.Deserialize<TrainModel>(json, ContractJson.Compact)!)];

    protected static async Task<IHost> Start(Database database, params (string Dataset, string Cron)[] schedules)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(schedules.Select(schedule => KeyValuePair.Create($"Schedules:{schedule.Dataset}:Cron", (string?)schedule.Cron)));
        builder.Services.AddSingleton(database).AddScheduling(database);
        var host = builder.Build();
        await host.StartAsync();
        return new Stopped(host);
    }

    private static Task Ask(Database database, string dataset, DateTimeOffset time) =>
        new AskForTraining(database, NullLogger<AskForTraining>.Instance).Ask(dataset, time, recipe: "", default);

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

    private static ValidateOptionsResult Validate(DatasetSchedule schedule) =>
        new SchedulingOptionsValidator().Validate(name: null, new SchedulingOptions { Datasets = { ["birds"] = schedule } });
}
