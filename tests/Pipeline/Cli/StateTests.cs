using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Tests.Pipeline.Cli;

/// <summary>What the commands read and ask for, on a home written by hand: no pipeline runs.</summary>
public sealed class StateTests : FilledSandbox
{
    [Fact]
    public async Task Datasets_are_listed_with_their_latest_version_and_last_drop()
    {
        var birds = (await Sandbox.Dml("datasets", "--json")).Json.AsArray().ShouldHaveSingleItem()!;

        birds["dataset"]!.ToString().ShouldBe("birds");
        birds["latest"]!["version"]!.GetValue<int>().ShouldBe(2);
        birds["latest"]!["splits"]!["test"]!["classes"]!.GetValue<int>().ShouldBe(1);
        birds["lastDrop"]!["reason"]!.ToString().ShouldBe("every file was broken");
        var text = (await Sandbox.Dml("datasets")).Output;
        text.ShouldContain("birds");
        text.ShouldContain("every file was broken");
    }

    [Fact]
    public async Task A_dataset_is_shown_with_all_versions_and_drops()
    {
        var json = (await Sandbox.Dml("datasets", "show", "birds", "--json")).Json;

        json["versions"]!.AsArray().Select(v => v!["version"]!.GetValue<int>()).ShouldBe([1, 2]);
        json["drops"]!.AsArray().Select(d => d!["state"]!.ToString()).ShouldBe(["ready", "ready", "rejected"]);
    }

    [Fact]
    public async Task Runs_show_state_progress_metrics_and_recipe()
    {
        var runs = (await Sandbox.Dml("runs", "--json")).Json.AsArray();
        runs.Select(run => run!["state"]!.ToString()).ShouldBe(["registered", "running", "queued", "cancelled"]);
        runs[0]!["metrics"]!["recall@1"]!.GetValue<double>().ShouldBe(0.75);
        runs[1]!["progress"]!["fraction"]!.GetValue<double>().ShouldBe(0.5);

        (await Sandbox.Dml("runs")).Output.ShouldContain("running, 50 %");
        var one = (await Sandbox.Dml("runs", "show", "birds-v1", "--json")).Json;
        one["recipe"]!["backbone"]!.ToString().ShouldBe("conv4");
        one["epochs"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task Models_are_listed_filtered_and_shown_with_their_history()
    {
        var model = (await Sandbox.Dml("models", "--json")).Json.AsArray().ShouldHaveSingleItem()!;
        model["model"]!.ToString().ShouldBe("birds");
        model["aliases"]!.AsArray().Select(alias => alias!.ToString()).ShouldBe(["champion"]);
        (await Sandbox.Dml("models", "--filter", "recall@1>0.9", "--json")).Json.AsArray().ShouldBeEmpty();
        (await Sandbox.Dml("models", "--filter", "recall@1")).Error.ShouldContain("recall@1>=0.9");

        (await Sandbox.Dml("models", "show", "birds", "--json")).Json["history"]!.AsArray().Single()!["reason"]!.ToString().ShouldBe("first");
        (await Sandbox.Dml("models", "show", "birds@champion", "--json")).Json["metrics"]!["recall@1"]!.GetValue<double>().ShouldBe(0.75);
    }

    [Theory]
    [InlineData("datasets show bird", "There are: birds.")]
    [InlineData("train birds@7", "It has: v1, v2.")]
    [InlineData("train birds@two", "birds@2")]
    [InlineData("runs show birds-v9", "birds-v1")]
    [InlineData("models show bird", "There are: birds.")]
    [InlineData("models show birds@best", "It has: champion, v1.")]
    [InlineData("evaluate birds@4 --dataset birds", "It has: champion, v1.")]
    [InlineData("evaluate bird --dataset birds", "There are: birds.")]
    [InlineData("train birds --recipe circel", "circle")]
    public async Task An_unknown_name_is_answered_with_those_that_exist(string commandLine, string expected)
    {
        var result = await Sandbox.Dml(commandLine.Split(' '));

        result.Code.ShouldBe(1);
        result.Output.ShouldBeEmpty();
        result.Error.ShouldContain(expected);
    }

    [Fact]
    public async Task A_training_is_asked_for_through_the_outbox_with_nothing_left_on_auto()
    {
        var result = await Sandbox.Dml("train", "birds", "--recipe", "circle", "--budget", "90s", "--seed", "7", "--json");

        result.Code.ShouldBe(0, result.Error);
        var runId = result.Json["run"]!.ToString();
        runId.ShouldMatch("^birds-v2-[0-9a-f]{6}$");
        using var database = await Sandbox.Home.OpenDatabase(default);
        var message = (await database.Unsent(10, default)).ShouldHaveSingleItem();
        message.Type.ShouldBe(nameof(TrainModel));
        var train = JsonSerializer.Deserialize<TrainModel>(message.BodyJson, ContractJson.Compact)!;
        train.RunId.ShouldBe(runId);
        train.DatasetVersion.ShouldBe(2);
        foreach (var part in new[] { "\"name\":\"circle\"", "\"budget\":\"90s\"", "\"seed\":7", "\"backbone\":\"conv4\"" }) train.Recipe.ShouldContain(part);
        train.Recipe.ShouldNotContain("\"epochs\"");
    }

    [Fact]
    public async Task Epochs_replace_the_recipe_s_length_and_are_checked_like_it()
    {
        (await Sandbox.Dml("train", "birds", "--epochs", "3", "--json")).Code.ShouldBe(0);
        (await Sandbox.Dml("train", "birds", "--epochs", "0")).Error.ShouldContain("out of range");

        using var database = await Sandbox.Home.OpenDatabase(default);
        (await database.Unsent(10, default)).ShouldHaveSingleItem().BodyJson.ShouldContain("epochs\\\":3");
    }

    [Fact]
    public async Task A_waiting_run_is_cancelled_at_once_and_resumed_again()
    {
        (await Sandbox.Dml("cancel", "birds-v2-queued", "--json")).Json["state"]!.ToString().ShouldBe("cancelled");
        (await Sandbox.Dml("resume", "birds-v2-queued", "--json")).Json["state"]!.ToString().ShouldBe("queued");
    }

    [Fact]
    public async Task Cancel_and_resume_say_what_state_forbids_them()
    {
        (await Sandbox.Dml("cancel", "birds-v1")).Error.ShouldContain("is registered");
        (await Sandbox.Dml("resume", "birds-v1")).Error.ShouldContain("is registered");
        (await Sandbox.Dml("resume", "birds-v2-queued", "--wait")).Error.ShouldContain("dml up");
    }
}
