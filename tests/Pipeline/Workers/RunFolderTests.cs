using System.Text;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using DmlPipeline.Training;

namespace DmlPipeline.Tests.Pipeline.Workers;

/// <summary>What a worker that was frozen, and wakes after another has its run, can still do: nothing that counts.</summary>
public sealed class RunFolderTests : IDisposable
{
    private const string Key = "runs/r/checkpoints/checkpoint.safetensors";

    private readonly TemporaryHome temporary = new();
    private readonly FolderStore store;

    public RunFolderTests() => store = temporary.Home.OpenStore();

    public void Dispose() => temporary.Dispose();

    [Fact]
    public async Task A_run_that_went_on_elsewhere_goes_on_from_there()
    {
        using (var here = Open("here"))
        {
            await Save(here, "epoch 5");
            await here.UploadAll(default);
        }
        using (var elsewhere = Open("elsewhere"))
        {
            await elsewhere.Fetch(default);
            Saved(elsewhere).ShouldBe("epoch 5");
            await Save(elsewhere, "epoch 20");
            await elsewhere.UploadAll(default);
        }

        using var again = Open("here");
        await again.Fetch(default);
        Saved(again).ShouldBe("epoch 20");
    }

    [Fact]
    public async Task What_never_reached_the_store_is_gone_on_from_where_it_is()
    {
        using (var here = Open("here")) await Save(here, "epoch 1");

        using var again = Open("here");
        await again.Fetch(default);
        Saved(again).ShouldBe("epoch 1");
    }

    [Fact]
    public async Task A_worker_that_woke_neither_overwrites_checkpoints_nor_shares_the_others_folder()
    {
        var mine = true;
        using var frozen = RunFolder.Open(store, "r", Work("same"), () => Task.FromResult(mine));
        await Save(frozen, "epoch 5");
        await frozen.UploadAll(default);
        using var taker = Open("same");
        taker.Local.ShouldNotBe(frozen.Local);
        await taker.Fetch(default);
        await Save(taker, "epoch 9");
        await taker.UploadAll(default);

        mine = false;
        await Save(frozen, "epoch 6");
        frozen.Upload();

        (await Text(Key)).ShouldBe("epoch 9");
        Saved(taker).ShouldBe("epoch 9");
    }

    [Fact]
    public async Task Two_attempts_that_end_at_once_have_two_models_each_as_its_own_worker_recorded_it()
    {
        using var one = Open("one");
        using var two = Open("two");

        var (first, firstModel) = await Publish(one, "weights of one", seconds: 1);
        var (second, secondModel) = await Publish(two, "weights of two", seconds: 2);
        var (_, thirdModel) = await Publish(two, "weights of one", seconds: 3);

        new[] { first.Key, second.Key }.ShouldBeUnique();
        (await Text(first.Key)).ShouldBe("weights of one");
        new[] { firstModel, secondModel, thirdModel }.Select(model => model.Key).ShouldBeUnique();
        (await Text(firstModel.Key)).ShouldContain("\"seconds\": 1");
    }

    private Task<(Contracts.ArtifactRef Weights, Contracts.ArtifactRef Model)> Publish(RunFolder folder, string weights, double seconds)
    {
        var path = Path.Combine(folder.Local, "model.safetensors");
        File.WriteAllText(path, weights);
        var run = new RunRow
        {
            Id = "r", Dataset = "d", DatasetVersion = 1, RecipeJson = "{}", RecipeHash = "", RequestedBy = "test", Reason = "", State = "running", CreatedAt = 0,
        };
        return folder.Publish(run, RecipeFile.Parse("epochs: 1", "a"), new TrainingOutcome(TrainingEnd.Completed, path, "", null, [], seconds), "cuda:1", 1, default);
    }

    private RunFolder Open(string work) => RunFolder.Open(store, "r", Work(work), () => Task.FromResult(true));

    private string Work(string name) => Path.Combine(temporary.Home.Path, name);

    private static Task Save(RunFolder folder, string text) => File.WriteAllTextAsync(Path.Combine(folder.Local, "checkpoint.safetensors"), text);

    private static string Saved(RunFolder folder) => File.ReadAllText(Path.Combine(folder.Local, "checkpoint.safetensors"));

    private async Task<string> Text(string key)
    {
        await using var stream = await store.OpenRead(key, default);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync();
    }
}
