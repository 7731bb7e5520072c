using System.Text.Json.Nodes;
using DmlPipeline.Cli.Sample;
using DmlPipeline.Local;

namespace DmlPipeline.Tests.Pipeline.Cli;

/// <summary>A tiny model, trained by a pipeline, and trained again from its record.</summary>
public sealed class ReproduceTests : IDisposable
{
    private readonly Sandbox sandbox = new();

    public void Dispose() => sandbox.Dispose();

    [Fact]
    public async Task A_version_that_was_trained_on_one_thread_is_reproduced_to_the_last_bit_and_another_seed_is_noticed()
    {
        await TrainOne();

        var same = await sandbox.Dml("reproduce", "letters@champion", "--json");

        same.Code.ShouldBe(0, same.Error);
        same.Json["identical"]!.GetValue<bool>().ShouldBeTrue();
        same.Json["mustBeIdentical"]!.GetValue<bool>().ShouldBeTrue();
        same.Json["environment"]!.AsObject().ShouldBeEmpty();

        await Change(document => document["recipe"]!["seed"] = 12345);
        var other = await sandbox.Dml("reproduce", "letters@champion");

        other.Code.ShouldBe(1);
        other.Output.ShouldContain("NOT reproduced: nothing differs in the environment");

        await Change(document => document["lineage"]!["libtorch"] = "1.0.0");
        var excused = await sandbox.Dml("reproduce", "letters@champion", "--tolerance", "1");

        excused.Code.ShouldBe(0, excused.Output + excused.Error);
        excused.Output.ShouldContain("is reproduced within 100.0 %");
        excused.Output.ShouldContain("1.0.0");
    }

    private async Task TrainOne()
    {
        await using var pipeline = await LocalPipeline.Start(
            new LocalSettings(sandbox.Home)
            {
                Port = 0, Training = training => training.Recipe = """{ "epochs": 2, "image": { "size": 28 }, "threads": 1 }""", Inbox = inbox => inbox.SettleSeconds = 1,
            }, default);
        var inbox = Directory.CreateDirectory(Path.Combine(sandbox.Home.StoreFolder, "inbox", "letters")).FullName;
        GlyphSample.Write(inbox, alphabets: 3, charactersPerAlphabet: 6, drawingsPerCharacter: 6, seed: 1, default);
        await File.WriteAllTextAsync(Path.Combine(inbox, "_READY"), "");
        for (var deadline = DateTime.UtcNow.AddMinutes(3); (await pipeline.Database.QueryOne<string>("select state from runs", null, default)) != "registered"; await Task.Delay(100))
            if (DateTime.UtcNow > deadline) throw new TimeoutException("There is no registered model after 3 minutes.");
    }

    /// <summary>In the record of the version, as if it had been trained otherwise.</summary>
    private async Task Change(Action<JsonNode> change)
    {
        using var database = await sandbox.Home.OpenDatabase(default);
        var document = JsonNode.Parse((await database.QueryOne<string>("select model_json from model_versions", null, default))!)!;
        change(document);
        await database.Write(transaction => transaction.Execute("update model_versions set model_json = @json", new { json = document.ToJsonString() }), default);
    }
}
