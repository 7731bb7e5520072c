using System.CommandLine;
using DmlPipeline.Cli.Commands;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Hosting;
using DmlPipeline.Local;
using DmlPipeline.Tests.Pipeline.Cli;

namespace DmlPipeline.Tests.Pipeline.Serve;

public sealed class ServeSettingsTests : IDisposable
{
    private readonly Sandbox sandbox = new();
    private readonly Dictionary<string, string> environment = new(StringComparer.Ordinal);

    public void Dispose() => sandbox.Dispose();

    [Fact]
    public void A_flag_goes_before_the_environment_and_that_before_the_file()
    {
        var file = File("bus-user: of-file\nstore: /file\nlog: json");
        environment["DML_BUS_USER"] = "of-environment";
        environment["DML_STORE"] = "/environment";
        var sources = Sources("--settings", file, "--bus-user", "of-flag");

        (sources[Settings.BusUser], sources[Settings.Store], sources[Settings.Log], sources[Settings.Otlp]).ShouldBe(("of-flag", "/environment", "json", null));
    }

    [Fact]
    public void A_password_comes_from_a_file_or_the_environment()
    {
        Sources("--bus-password-file", File("of-file\n"))[Settings.BusPassword].ShouldBe("of-file");
        Sources("--settings", File($"bus-password-file: {File("named in file")}"))[Settings.BusPassword].ShouldBe("named in file");
        environment["DML_BUS_PASSWORD_FILE"] = File("of-variable-file\r\n");
        Sources()[Settings.BusPassword].ShouldBe("of-variable-file");
        environment["DML_BUS_PASSWORD"] = "of-variable";
        Sources()[Settings.BusPassword].ShouldBe("of-variable");
    }

    [Theory]
    [InlineData("buss: memory", "bus")]
    [InlineData("training:\n  on-new-dada: false", "on-new-data")]
    [InlineData("bus-password: open-sesame", "bus-password-file")]
    [InlineData("- bus", "keys and values")]
    [InlineData("bus: [", "line")]
    [InlineData("schedules:\n  birds: nightly", "cron")]
    public void A_settings_file_with_a_mistake_is_refused_with_what_would_be_right(string text, string right)
    {
        var error = Should.Throw<SettingException>(() => Sources("--settings", File(text)));

        error.Setting.ShouldBe("settings");
        error.Problem.ShouldContain(right);
        error.Problem.ShouldNotContain("sesame");
    }

    [Fact]
    public void Options_of_services_are_sections()
    {
        var options = Sources("--settings", File("training:\n  on-new-data: false\n  budget: 10m\nschedules:\n  birds: { cron: 30 2 * * *, timezone: Europe/Berlin }")).FromFile.Options;

        options["Training:OnNewData"].ShouldBe("false");
        options["Training:Budget"].ShouldBe("10m");
        options["Schedules:birds:Cron"].ShouldBe("30 2 * * *");
    }

    [Fact]
    public void Processes_that_name_nothing_share_the_home()
    {
        var settings = Read(PipelineService.All);

        (settings.Bus.IsMemory, settings.Store, settings.Database).ShouldBe((true, sandbox.Home.StoreFolder, sandbox.Home.DatabaseFile));
        settings.Hosts.ShouldContain("localhost");
    }

    [Theory]
    [InlineData("--bus", "rabbitmq://broker", "bus-user")]
    [InlineData("--bus", "smtp://broker", "bus")]
    [InlineData("--store", "http://s3/bucket", "store-access-key")]
    [InlineData("--store", "s3://bucket", "store")]
    [InlineData("--listen", "everywhere", "listen")]
    [InlineData("--otlp", "collector", "otlp")]
    [InlineData("--events", "now and then", "events")]
    [InlineData("--events", "amqp", "events")]
    [InlineData("--log", "xml", "log")]
    [InlineData("--wait-for", "a while", "wait-for")]
    public void What_is_missing_or_wrong_is_named(string flag, string value, string setting) =>
        Should.Throw<SettingException>(() => Read(PipelineService.All, flag, value)).Setting.ShouldBe(setting);

    [Fact]
    public void A_single_service_on_a_bus_in_memory_is_refused() =>
        Should.Throw<SettingException>(() => Read([PipelineService.Training])).Setting.ShouldBe("bus");

    [Fact]
    public void Events_are_for_who_listens_and_lead_the_store_to_the_bus_unless_it_reaches_that_by_another_name()
    {
        environment["DML_STORE_SECRET_KEY"] = environment["DML_BUS_PASSWORD"] = "bus-secret";
        string[] flags = ["--events", "amqp", "--store", "http://s3/bucket", "--store-access-key", "dml", "--bus", "rabbitmq://broker/dml", "--bus-user", "dml-ingestion"];

        Read([PipelineService.Training], flags).Events.ShouldBeNull();
        var events = Read([PipelineService.Ingestion], flags).Events.ShouldNotBeNull();
        (events.IsRequired, events.Target, events.Broker.ToString(), events.Broker.User, events.Broker.Password).ShouldBe((false, null, "rabbitmq://broker:5672/dml", "dml-ingestion", "bus-secret"));
        environment["DML_EVENTS_PASSWORD"] = "store-secret";
        flags = ["--events", "required", .. flags[2..], "--events-broker", "rabbitmq://10.0.0.1:5673/dml", "--events-user", "dml-store", "--events-target", "arn:minio:sqs::PRIMARY:amqp"];
        events = Read([PipelineService.Ingestion], flags).Events.ShouldNotBeNull();
        (events.IsRequired, events.Target, events.Broker.ToString(), events.Broker.User, events.Broker.Password).ShouldBe((true, "arn:minio:sqs::PRIMARY:amqp", "rabbitmq://10.0.0.1:5673/dml", "dml-store", "store-secret"));
    }

    [Theory]
    [InlineData("serve training", "--bus, with DML_BUS")]
    [InlineData("serve all --bus rabbitmq://127.0.0.1:1 --bus-user dml", "DML_BUS_PASSWORD")]
    [InlineData("serve all --bus rabbitmq://127.0.0.1:1 --bus-user dml --bus-password-file {password} --wait-for 0", "rabbitmq://127.0.0.1:1")]
    [InlineData("serve all --database postgres://127.0.0.1:1/dml --database-user dml --wait-for 0", "database: set it with --database")]
    [InlineData("dead-letters list", "bus: set it with --bus")]
    public async Task An_error_says_how_to_mend_it(string commandLine, string remedy)
    {
        var result = await sandbox.Dml(commandLine.Replace("{password}", File("open-sesame"), StringComparison.Ordinal).Split(' '));

        result.Code.ShouldBe(1);
        result.Error.ShouldContain(remedy);
        result.Error.ShouldNotContain("sesame");
    }

    [Fact]
    public async Task A_whole_pipeline_and_single_services_keep_off_each_others_home()
    {
        using (sandbox.Home.Lock()) (await sandbox.Dml("serve", "all", "--listen", "127.0.0.1:0")).Error.ShouldContain("--home");
        using (sandbox.Home.Share())
        using (sandbox.Home.Share())
            (await sandbox.Dml("up")).Error.ShouldContain("--home");
    }

    [Fact]
    public void A_group_is_told_by_settings_or_by_the_variables_of_torchrun()
    {
        var own = GroupSettings.Read(Sources("--group", "10.0.0.5:29500", "--group-rank", "1", "--group-size", "4", "--group-network", "eth1"))!;
        (own.Place.ToString(), own.Place.Network, own.Rank, own.Size).ShouldBe(("10.0.0.5:29500", "eth1", 1, 4));
        GroupSettings.Read(Sources()).ShouldBeNull();
        foreach (var (name, value) in new[] { ("MASTER_ADDR", "node-0"), ("MASTER_PORT", "1234"), ("RANK", "2"), ("WORLD_SIZE", "3") }) environment[name] = value;

        var torchrun = GroupSettings.Read(Sources())!;

        (torchrun.Place.ToString(), torchrun.Rank, torchrun.Size, torchrun.Place.IsHosted).ShouldBe(("node-0:1234", 2, 3, false));
        Should.Throw<SettingException>(() => GroupSettings.Read(Sources("--group-rank", "3"))).Message.ShouldContain("no number from 0 to 2");
        Should.Throw<SettingException>(() => FollowSettings.Read(torchrun, Sources(), PipelineService.All, sandbox.Home)).Message.ShouldContain("dml serve training");
    }

    private ServeSettings Read(IReadOnlyList<PipelineService> services, params string[] flags) => ServeSettings.Read(Sources(flags), services, sandbox.Home);

    private SettingSources Sources(params string[] flags)
    {
        var command = new RootCommand { SharedOptions.Home };
        foreach (var flag in SettingSources.FlagsOf(Settings.All)) command.Options.Add(flag);
        var parse = command.Parse(flags);
        parse.Errors.ShouldBeEmpty();
        return new SettingSources(parse, environment.GetValueOrDefault);
    }

    private string File(string text)
    {
        var path = Path.Combine(sandbox.Folder, Guid.NewGuid().ToString("N"));
        System.IO.File.WriteAllText(path, text);
        return path;
    }
}
