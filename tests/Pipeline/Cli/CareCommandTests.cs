using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Pipeline.Cli;

/// <summary>verify and gc on a home written by hand.</summary>
public sealed class CareCommandTests : FilledSandbox
{
    [Fact]
    public async Task Objects_that_are_not_as_recorded_are_named_and_the_exit_code_says_so()
    {
        var result = await Sandbox.Dml("verify", "--prefix", "models/");

        result.Code.ShouldBe(1);
        result.Output.ShouldContain("missing   models/birds/v1/model.safetensors   model birds v1");
        var json = await Sandbox.Dml("verify", "--json");
        json.Code.ShouldBe(1);
        json.Json["problems"]!.AsArray().Select(problem => problem!["key"]!.ToString()).ShouldContain("some/key");
    }

    [Fact]
    public async Task What_is_to_verify_may_be_nothing()
    {
        var result = await Sandbox.Dml("verify", "--prefix", "nowhere/");

        result.Code.ShouldBe(0);
        result.Output.ShouldContain("begins with 'nowhere/'");
    }

    [Fact]
    public async Task A_dry_run_tells_and_deletes_nothing()
    {
        var store = Sandbox.Home.OpenStore();
        await store.Put("runs/nobody/model.safetensors", new MemoryStream(new byte[2000]), default);
        File.SetLastWriteTimeUtc(Path.Combine(store.Root, "runs/nobody/model.safetensors"), DateTime.UtcNow.AddDays(-2));

        var dry = await Sandbox.Dml("gc", "--dry-run");
        dry.Output.ShouldContain("there is no such run");
        dry.Output.ShouldContain("1 object, 2.0 kB, would be deleted");
        (await store.Find("runs/nobody/model.safetensors", default)).ShouldNotBeNull();

        (await Sandbox.Dml("gc", "--json")).Json["objects"]!.GetValue<int>().ShouldBe(1);
        (await store.Find("runs/nobody/model.safetensors", default)).ShouldBeNull();
        (await Sandbox.Dml("gc")).Output.ShouldContain("Nothing to delete");
    }
}
