using System.Text.Json.Nodes;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Learning.Models;
using DmlPipeline.Learning.Training;
using DmlPipeline.Storage;
using DmlPipeline.Torch;
using TorchSharp;

namespace DmlPipeline.Cli.Experiments;

/// <summary>Does the trainings of a benchmark that are not done yet; each leaves the embeddings of the test images behind.</summary>
internal sealed class BenchmarkRun(BenchmarkPlan plan, string folder, ExperimentImages images, IArtifactStore store, TorchThread thread, LiveLine live)
{
    private const string Tensor = "embeddings", ResultFile = "result.json", EmbeddingsFile = "embeddings.safetensors";
    private const int BatchSize = 256;

    public static bool IsDone(string folder, BenchmarkJob job) => File.Exists(Path.Combine(folder, job.Folder, ResultFile));

    /// <summary>The test embeddings [N, D] of a job that is done.</summary>
    public static (float[] Values, int Dimension) Embeddings(string folder, BenchmarkJob job)
    {
        var (values, shape) = Safetensors.ReadFloats(Path.Combine(folder, job.Folder, EmbeddingsFile)).Arrays[Tensor];
        return (values, (int)shape[1]);
    }

    public async Task DoAll(CancellationToken cancel)
    {
        var training = new ExperimentTraining(store, thread, live);
        for (var i = 0; i < plan.Jobs.Count; i++)
        {
            if (IsDone(folder, plan.Jobs[i])) continue;
            await Do(plan.Jobs[i], $"{i + 1}/{plan.Jobs.Count} {plan.Jobs[i].Recipe}, fold {plan.Jobs[i].Fold + 1}{(plan.Seeds > 1 ? $", seed {plan.Jobs[i].Seed}" : "")}", training, cancel);
        }
        live.Clear();
    }

    private async Task Do(BenchmarkJob job, string title, ExperimentTraining training, CancellationToken cancel)
    {
        var recipe = plan.RecipeOf(job);
        var shape = SpecOfRecipe.Shape(recipe);
        var train = images.Of(shape, name => plan.Folds.FoldOf(name) != job.Fold, cancel);
        var validation = images.Of(shape, name => plan.Folds.FoldOf(name) == job.Fold, cancel);
        var own = Path.Combine(folder, job.Folder);

        TrainingOutcome outcome;
        try
        {
            outcome = await training.Train(new TrainingJob { Recipe = recipe, Train = train, Validation = validation, Folder = own }, title, ends: null, cancel);
        }
        catch (TrainingDivergedException e)
        {
            throw new CliException($"{title}: {e.Message}", e);
        }
        live.Update($"{title}  embedding the test images");
        var (values, dimension) = await thread.Run(() => EmbedTest(outcome.ModelPath!, shape, cancel));
        await using (var file = File.Create(Path.Combine(own, EmbeddingsFile)))
        {
            Safetensors.WriteFloats(
                file, new Dictionary<string, (float[], long[])>(StringComparer.Ordinal) { [Tensor] = (values, [values.Length / dimension, dimension]) },
                new Dictionary<string, string>(StringComparer.Ordinal));
        }
        ExperimentTraining.Tidy(own);
        // Written last: it says that the job is done.
        ExperimentFolder.Write(Path.Combine(own, ResultFile), new JsonObject
        {
            ["recipe"] = job.Recipe,
            ["recipeHash"] = Learning.Recipes.RecipeFile.Hash(recipe),
            ["seed"] = recipe.Seed,
            ["fold"] = job.Fold,
            ["trainClasses"] = train.ClassNames.Length,
            ["validationClasses"] = validation.ClassNames.Length,
            ["end"] = outcome.End.ToString().ToLowerInvariant(),
            ["epochs"] = outcome.History.Count,
            ["bestEpoch"] = outcome.Best?.Epoch,
            ["seconds"] = outcome.Seconds,
            ["validation"] = new JsonObject { ["recall@1"] = outcome.Best?.ValidationRecall1, ["map@r"] = outcome.Best?.ValidationMapAtR },
        });
        var score = outcome.Best?.ValidationMapAtR is { } map ? $"validation map@r {Show.Percent(map)}" : "not validated";
        live.Keep($"{title}  {score}, {outcome.History.Count} epochs in {Show.Duration(TimeSpan.FromSeconds(outcome.Seconds))}");
    }

    private (float[] Values, int Dimension) EmbedTest(string weights, Learning.Data.ImageShape shape, CancellationToken cancel)
    {
        using var model = EmbeddingModel.Load(weights);
        if (TorchSharp.torch.cuda.is_available()) model.to(TorchSharp.torch.CUDA);
        return (Embedder.Embed(model, images.Test(shape, cancel), BatchSize, done: null, cancel), model.Spec.EmbeddingSize);
    }
}
