using System.Diagnostics;
using DmlPipeline.Cli.Sample;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using Xunit.Abstractions;

namespace DmlPipeline.Tests.Pipeline;

/// <summary>kill -9 at random moments, again and again: everything still arrives, once. DML_KILLS sets how often (infra/kill-test).</summary>
public sealed class KillTests(ITestOutputHelper output) : IDisposable
{
    private readonly TemporaryHome temporary = new();

    public void Dispose() => temporary.Dispose();

    [Fact]
    public async Task Killed_at_random_moments_the_pipeline_makes_one_dataset_version_and_one_model_version()
    {
        var kills = int.Parse(Environment.GetEnvironmentVariable("DML_KILLS") ?? "4");
        var seed = int.Parse(Environment.GetEnvironmentVariable("DML_SEED") ?? Random.Shared.Next(1_000_000).ToString());
        output.WriteLine($"{kills} kills, DML_SEED={seed}");
        // Moments are drawn for a test that can be repeated, not for secrecy.
        var random = new Random(seed);
        var data = Path.Combine(temporary.Home.Path, "glyphs");
        GlyphSample.Write(data, alphabets: 4, charactersPerAlphabet: 8, drawingsPerCharacter: 10, seed: 1, default);

        // Long enough that every kill finds something under way: a start lives for six seconds at the most.
        var budgetSeconds = 10 + (6 * kills);
        var killed = 0;
        while (killed < kills)
        {
            using var process = StartDemo(data, budgetSeconds);
            // Some die before they listen, some while they train, evaluate or register.
            var delay = TimeSpan.FromMilliseconds(random.Next(500, 6000));
            using var wait = new CancellationTokenSource(delay);
            try
            {
                await process.WaitForExitAsync(wait.Token);
                output.WriteLine($"done after {killed} kills, exit code {process.ExitCode}");
                process.ExitCode.ShouldBe(0, await Diagnosis());
                // Finished before all kills were spent: the rest would hit a pipeline that has nothing to do.
                break;
            }
            catch (OperationCanceledException)
            {
                process.Kill();
                await process.WaitForExitAsync();
                killed++;
                output.WriteLine($"killed after {delay.TotalSeconds:0.0} s: {await States()}");
            }
        }
        using (var last = StartDemo(data, budgetSeconds))
        {
            await last.WaitForExitAsync();
            last.ExitCode.ShouldBe(0, await Diagnosis());
        }

        killed.ShouldBe(kills, "the run ended before it was killed often enough: make it longer");
        await ShouldHaveArrivedOnce();
    }

    private async Task ShouldHaveArrivedOnce()
    {
        using var database = await temporary.Home.OpenDatabase(default);
        (await database.DatasetVersions(null, default)).ShouldHaveSingleItem().Version.ShouldBe(1);
        (await database.Drops(null, default)).Count(drop => drop.State == "ready").ShouldBe(1);
        (await database.Runs(null, default)).ShouldHaveSingleItem().State.ShouldBe("registered");
        (await database.ModelVersions(null, [], null, 10, 0, default)).ShouldHaveSingleItem().Aliases.ShouldBe("champion");
        (await database.AliasHistory("glyphs", default)).Count.ShouldBe(1);
        (await database.QueryOne<int>("select count(*) from model_versions", null, default)).ShouldBe(1);
        (await database.QueryOne<int>("select count(*) from jobs where state <> 'done'", null, default)).ShouldBe(0);
        (await database.QueryOne<int>("select count(*) from outbox where sent_at is null", null, default)).ShouldBe(0);

        // No orphan: every object in the store belongs to the version, the run or the model.
        var store = temporary.Home.OpenStore();
        using var dataset = await DatasetReader.Open(store, "glyphs", 1, default);
        var expected = dataset.Manifest.Shards.Select(shard => shard.Key)
            .Append(dataset.Manifest.Samples.Key).Append(DatasetReader.ManifestKey("glyphs", 1))
            .Append(dataset.Manifest.NearDuplicates?.Key ?? "").ToHashSet();
        await foreach (var item in store.List("datasets/", default)) expected.ShouldContain(item.Key);
        await foreach (var item in store.List("runs/", default)) item.Key.ShouldStartWith("runs/glyphs-v1/");
        await foreach (var item in store.List("models/", default)) item.Key.ShouldStartWith("models/glyphs/v1/");
        Directory.EnumerateFiles(temporary.Home.StoreFolder, FolderStore.PartialPrefix + "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
            .ShouldBeEmpty();
    }

    private Process StartDemo(string data, int budgetSeconds)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList =
            {
                Path.Combine(AppContext.BaseDirectory, "dml.dll"), "demo", data, "--dataset", "glyphs", "--home", temporary.Home.Path, "--budget", $"{budgetSeconds}s",
            },
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var process = Process.Start(start)!;
        // Read, so that a full pipe never stops it.
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, line) => { if (line.Data is { Length: > 0 }) lastError = line.Data; };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private string lastError = "";

    private async Task<string> States()
    {
        if (!temporary.Home.Exists) return "nothing yet";
        using var database = await temporary.Home.OpenDatabase(default);
        var jobs = await database.Query<string>("select id || ' ' || state from jobs order by created_at", null, default);
        return string.Join(", ", jobs.DefaultIfEmpty("no job yet"));
    }

    private async Task<string> Diagnosis() => $"{lastError}\n{await States()}";
}
