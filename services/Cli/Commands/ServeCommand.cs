using System.CommandLine;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Hosting;
using DmlPipeline.Local;
using DmlPipeline.Training.Processes;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml serve SERVICE…</c>: some of the services in one process, beside others on the same broker, store and database.</summary>
internal static class ServeCommand
{
    private const string Every = "all";

    private static readonly Argument<string[]> Names = new("SERVICE") { Description = "Which: ingestion, training, evaluation, registry, scheduling; or all", Arity = ArgumentArity.OneOrMore };

    static ServeCommand() => Names.AcceptOnlyFromAmong([.. PipelineService.All.Select(service => service.Name), Every]);

    public static Command Create()
    {
        var command = new DocumentedCommand("serve", "Run single services as processes of their own, until Ctrl-C or SIGTERM")
        {
            Details =
                $"""
                Services:
                {string.Join('\n', PipelineService.All.Select(service => $"  {service.Name,-12} {service.Does}"))}

                Processes that belong together name the same bus, store and database. Any number of each may run, on any number of machines.
                Every setting is a flag, an environment variable, or a key of the settings file, in this order. A service's own options are
                sections of the file, or variables: DML_TRAINING__ONNEWDATA=false.

                  bus: rabbitmq://broker/dml           training:
                  bus-user: dml                          recipe: circle
                  bus-password-file: /run/secrets/bus  policy:
                  store: https://s3.example.org/dml      min-new-images: 50
                                                       schedules:
                                                         birds: {"{ cron: \"30 2 * * *\", timezone: Europe/Berlin }"}

                Trainings of several machines: each runs dml serve training with the same --group and --group-size, and a --group-rank of its own.
                Rank 0 takes the jobs; the others train along with it, and need the store only. Whoever reaches the port can join: it belongs
                on a network that is trusted. Several processes of one machine need no group: dml train --processes 2.

                HTTP: /health/live, /health/ready (bus, store and database one by one), /metrics for Prometheus; the registry's own interface.
                Stopped, a process hands its work back within 30 seconds; a training saves a checkpoint first. Killed, its work is taken over
                by another when its lease has run out.
                """,
            Examples =
            [
                "serve training --settings dml.yaml", "serve ingestion registry --bus rabbitmq://127.0.0.1 --bus-user dml --bus-password-file secret",
                "serve all --home /data/dml", "serve training --settings dml.yaml --group 10.0.0.5:29500 --group-rank 1 --group-size 2",
            ],
            Arguments = { Names },
        };
        foreach (var flag in SettingSources.FlagsOf(Settings.All)) command.Options.Add(flag);
        command.SetAction(Run);
        return command;
    }

    private static async Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        var home = new PipelineHome(parse.GetValue(SharedOptions.Home)!);
        var names = parse.GetRequiredValue(Names);
        IReadOnlyList<PipelineService> services = names.Contains(Every, StringComparer.Ordinal)
            ? PipelineService.All
            : [.. PipelineService.All.Where(service => names.Contains(service.Name, StringComparer.Ordinal))];
        var sources = new SettingSources(parse, Environment.GetEnvironmentVariable);
        if (GroupSettings.Read(sources) is { Rank: > 0 } group) return await Follow(screen, FollowSettings.Read(group, sources, services, home), cancel);
        var settings = ServeSettings.Read(sources, services, home);
        using var backends = await Backends.Open(settings, home, screen.Live.Keep, cancel);
        bool asked;
        await using (var process = await ServedProcess.Start(settings, backends, screen.Live.Keep, cancel))
        {
            BestEffort.Tell(() => Greet(screen, settings, process.Address));
            asked = await process.UntilAsked(cancel);
            screen.Live.Keep("stopping; work under way is handed back");
        }
        screen.Live.Keep("stopped");
        return asked ? 0 : throw new CliException("A part of the process has failed for good; its log says which. Start it again.");
    }

    private static async Task<int> Follow(Screen screen, FollowSettings settings, CancellationToken cancel)
    {
        if (settings.Group.Place.File is not null) Companion.LeaveWithParent();
        var store = await Backends.OpenStore(settings.Bucket, settings.StoreFolder, cancel);
        using (store as IDisposable) await FollowingProcess.Follow(settings.Group, store, settings.ImageCacheBytes, screen.Live.Keep, cancel);
        return 0;
    }

    private static void Greet(Screen screen, ServeSettings settings, string address)
    {
        if (screen.IsJson)
        {
            screen.Json(new JsonObject
            {
                ["services"] = new JsonArray([.. settings.Services.Select(service => (JsonNode)service.Name)]), ["address"] = address, ["bus"] = settings.Bus.ToString(),
                ["store"] = settings.Store, ["database"] = settings.Database, ["processId"] = Environment.ProcessId,
            });
            return;
        }
        screen.Heading($"Serving {string.Join(", ", settings.Services.Select(service => service.Name))}. Ctrl-C stops it.");
        screen.Facts(("bus", settings.Bus.ToString()), ("store", settings.Store), ("database", settings.Database), ("health", $"{address}/health/ready"), ("metrics", $"{address}/metrics"));
    }
}
