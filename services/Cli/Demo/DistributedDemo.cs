using System.CommandLine;
using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using DmlPipeline.Cli.Commands;
using DmlPipeline.Cli.Dropping;
using DmlPipeline.Cli.Follow;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Hosting;
using DmlPipeline.Ingestion;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Cli.Demo;

/// <summary>
/// The demo on a pipeline of many processes: an archive and a <c>dataset.yaml</c> are put into the bucket, as any S3 client could, and
/// followed to the registered model. It asks nothing else of the services and writes nothing into their database.
/// </summary>
internal static class DistributedDemo
{
    internal sealed record Wishes(DemoSource Source, string Dataset, RecipeSource? Recipe, string? Budget, long? Seed, string? SplitBy);

    public static async Task<int> Run(ParseResult parse, Screen screen, string homePath, Wishes wishes, CancellationToken cancel)
    {
        var places = ServeSettings.ReadPlaces(new SettingSources(parse, Environment.GetEnvironmentVariable), Path.GetFullPath(homePath));
        if (places?.Bucket is null) throw new SettingException(Serve.Settings.Store.Name, "it must be the address of a bucket, http[s]://HOST[:PORT]/BUCKET; infra/up starts one");
        var watch = Stopwatch.StartNew();
        await wishes.Source.Prepare(screen.Live, cancel);
        using var servers = await OpenedHome.OpenServers(homePath, places, cancel);
        var dropped = await Drop(servers, wishes, screen.Live, cancel);
        screen.Live.Keep($"dropped    {servers.PlaceOf(dropped.Probe.Key)}, {Show.Bytes(dropped.Bytes)}");
        return await Follow(screen, servers, dropped, watch, cancel);
    }

    private static async Task<DroppedOff> Drop(OpenedHome servers, Wishes wishes, LiveLine live, CancellationToken cancel)
    {
        var prefix = Ingestion.Drop.Prefix(wishes.Dataset);
        var archive = await Archive(wishes, servers.Home.Path, live, cancel);
        // First: alone it makes no dataset yet, and waits for the images however long they take.
        await Put("dataset.yaml", new MemoryStream(Encoding.UTF8.GetBytes(Settings(wishes))));
        var key = Path.GetFileName(archive);
        await Put(key, File.OpenRead(archive));
        var probe = await servers.Store.Find(prefix + key, cancel) ?? throw new CliException($"{prefix}{key} vanished from the bucket. Drop again.");
        await Put(DropSettler.Ready, new MemoryStream(Encoding.UTF8.GetBytes($"{DateTimeOffset.UtcNow:O} {Guid.NewGuid()}\n")));
        return new DroppedOff(1, probe.Bytes, probe);

        async Task Put(string name, Stream content)
        {
            live.Update($"dropping   {prefix}{name}");
            await using (content) await servers.Store.Put(prefix + name, content, cancel);
        }
    }

    /// <summary>One object arrives whole or not at all, and 3,000 small ones take a minute.</summary>
    private static async Task<string> Archive(Wishes wishes, string home, LiveLine live, CancellationToken cancel)
    {
        var path = wishes.Source.Path;
        if (File.Exists(path)) return path;
        var archive = Path.Combine(home, "demo", $"{wishes.Dataset}.zip");
        live.Update($"packing    {path}");
        Directory.CreateDirectory(Path.GetDirectoryName(archive)!);
        File.Delete(archive);
        // Images are compressed already.
        await Task.Run(() => ZipFile.CreateFromDirectory(path, archive, CompressionLevel.NoCompression, includeBaseDirectory: false), cancel);
        return archive;
    }

    private static string Settings(Wishes wishes)
    {
        var recipe = wishes.Recipe?.Parse() ?? RecipeFile.BuiltIn("default");
        if (wishes.Budget is not null)
            recipe = recipe with { Budget = Duration.TryParse(wishes.Budget, out var budget) ? budget : throw new CliException($"'{wishes.Budget}' is no length of time: write for example 10m."), Epochs = null };
        if (wishes.Seed is { } seed) recipe = recipe with { Seed = seed };
        // JSON on one line is YAML too.
        return $"recipe: {RecipeFile.ToCanonicalJson(recipe)}\n{(wishes.SplitBy is null ? "" : $"split_by: {wishes.SplitBy}\n")}";
    }

    private static async Task<int> Follow(Screen screen, OpenedHome servers, DroppedOff dropped, Stopwatch watch, CancellationToken cancel)
    {
        var drop = await DropFollower.Follow(servers, dropped.Probe, dropped.Files, screen.Live, cancel);
        if (drop.State is not ("ready" or "unchanged" or "merged")) return await DemoCommand.Fail(screen, servers, drop, cancel);
        var version = (drop.Version is { } number ? await servers.Database.DatasetVersion(drop.Dataset, number, cancel) : await servers.Database.LatestDatasetVersion(drop.Dataset, cancel))!;
        DemoCommand.Tell(screen, version);

        var follower = new RunFollower(servers, screen.Live);
        var (runId, reason) = await follower.Decision(version.Dataset, version.Version, cancel);
        if (runId is null) throw new CliException($"No training on {version.Dataset} v{version.Version}: {reason}");
        var run = await follower.Follow(runId, cancel);
        var model = run.State == "registered" ? await servers.Database.ModelOfRun(runId, cancel) : null;
        if (model is null) throw new CliException($"Run {runId} {run.State}: {run.Error}");
        screen.Live.Keep($"registered {model.Model} v{model.Version}");

        var result = (await DemoResult.Collect(servers, version, run, model, watch.Elapsed, cancel)) with { IsEmbedded = false };
        if (screen.IsJson) screen.Json(result.ToJson());
        else result.Print(screen);
        return 0;
    }
}
