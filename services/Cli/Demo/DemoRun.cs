using DmlPipeline.Cli.Follow;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Storage.State;
using DmlPipeline.Training;

namespace DmlPipeline.Cli.Demo;

/// <summary>What the demo wants to be trained with; null leaves it to the dataset or the recipe.</summary>
internal sealed record DemoWishes(string? Recipe, string? Budget, long? Seed);

/// <summary>
/// Finds the run that does what the demo was asked for: the one that new data started by itself, one of an earlier demo, which goes on,
/// or, where the wishes differ, a new one.
/// </summary>
internal static class DemoRun
{
    public static async Task<string> Find(OpenedHome home, DatasetVersionRow version, DemoWishes wishes, LiveLine live, CancellationToken cancel)
    {
        var manifest = version.Manifest;
        var recipe = RecipeChoice.Resolve(wishes.Recipe ?? manifest.Recipe ?? "default", manifest, wishes.Budget, wishes.Seed, threads: 0);
        var hash = RecipeFile.Hash(recipe);

        // The decision may be for this very recipe; its run is written down with it.
        await new RunFollower(home, live).Decision(version.Dataset, version.Version, cancel);

        var same = (await home.Database.Runs(version.Dataset, cancel)).Where(run => run.DatasetVersion == version.Version && run.RecipeHash == hash).ToList();
        if ((same.Find(run => run.State is not ("failed" or "cancelled")) ?? same.FirstOrDefault()) is { } run)
        {
            if (run.State is "failed" or "cancelled") await home.Database.Resume(run.Id, cancel);
            return run.Id;
        }
        // Named after the recipe, so that a demo killed at this moment asks for the same run again.
        var runId = $"{version.Dataset}-v{version.Version}-{hash[..6]}";
        var asked = new TrainModel(runId, version.Dataset, version.Version, RecipeFile.ToCanonicalJson(recipe), "demo", "the demo asked for this recipe");
        await home.Database.Write(async transaction =>
        {
            await transaction.AddRun(asked, hash);
            await transaction.Publish(asked);
        }, cancel);
        return runId;
    }
}
