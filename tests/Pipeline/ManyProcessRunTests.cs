using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using DmlPipeline.Cli.Sample;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Contracts;
using DmlPipeline.Local;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Tests.Pipeline;

/// <summary>Runs that several processes share: started by the worker, or of machines that meet at a port.</summary>
public sealed class ManyProcessRunTests : IDisposable
{
    private const string Recipe = "epochs: 1\nimage: {size: 28}\nthreads: 2\n";

    private readonly TemporaryHome temporary = new();
    private readonly List<Process> processes = [];

    public void Dispose()
    {
        foreach (var process in processes)
        {
            if (!process.HasExited) process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
        temporary.Dispose();
    }

    [Fact]
    public async Task The_worker_starts_the_others_of_a_run_and_the_model_says_how_many_there_were()
    {
        await using var pipeline = await LocalPipeline.Start(
            new LocalSettings(temporary.Home)
            {
                Port = 0,
                Companions = Companion.Command(temporary.Home, []),
                Training = training => training.Recipe = $"{Recipe}processes: 2\n",
                Inbox = inbox => inbox.SettleSeconds = 1,
            }, default);
        Drop();

        (await ProcessesOfModel(pipeline.Database, pipeline.Store)).ShouldBe(2);
    }

    [Fact]
    public async Task Machines_that_meet_at_a_port_share_every_run_of_rank_0()
    {
        Drop();
        var port = FreePort();
        var settings = Path.Combine(temporary.Home.Path, "dml.yaml");
        await File.WriteAllTextAsync(settings, $"training:\n  recipe: |\n    {Recipe.Replace("\n", "\n    ", StringComparison.Ordinal)}\ninbox:\n  settle-seconds: 1\n");
        Serve("training", settings, port, rank: 1);
        Serve("all", settings, port, rank: 0);

        using var database = await temporary.Home.OpenDatabase(default);

        (await ProcessesOfModel(database, temporary.Home.OpenStore())).ShouldBe(2);
    }

    private void Drop() => GlyphSample.Write(temporary.Inbox("letters"), alphabets: 3, charactersPerAlphabet: 6, drawingsPerCharacter: 6, seed: 1, default);

    private static async Task<int> ProcessesOfModel(Database database, IArtifactStore store)
    {
        RunRow? run;
        for (var deadline = DateTime.UtcNow.AddMinutes(5); ; await Task.Delay(100))
        {
            run = await database.Run("letters-v1", default);
            if (run?.State is "registered") break;
            if (run?.State is "failed" || DateTime.UtcNow > deadline) throw new InvalidOperationException($"letters-v1 is {run?.State ?? "unknown"}: {run?.Error}");
        }
        await using var model = await store.OpenRead(JsonSerializer.Deserialize<ModelTrained>(run.TrainedJson!, ContractJson.Compact)!.Model.Key, default);
        return (await JsonDocument.ParseAsync(model)).RootElement.GetProperty("lineage").GetProperty("processes").GetInt32();
    }

    private void Serve(string services, string settings, int port, int rank) => processes.Add(Process.Start(
        new ProcessStartInfo("dotnet",
        [
            Path.Combine(AppContext.BaseDirectory, "dml.dll"), "serve", services, "--home", temporary.Home.Path, "--settings", settings, "--listen", "127.0.0.1:0",
            "--group", $"127.0.0.1:{port}", "--group-rank", $"{rank}", "--group-size", "2",
        ]) { UseShellExecute = false })!);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
