using System.Diagnostics;
using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Learning.Models;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;

namespace DmlPipeline.Benchmarks;

/// <summary>One training on drawings of 32 x 32 pixels without validation, judged by its last weights.</summary>
internal sealed record TrainingTrial(float[] Embeddings, double Recall1, double MapAtR, double ImagesPerSecond, double ImagesPerCpuSecond)
{
    /// <summary>What a drawing may go through: the pipeline's own defaults, without turned classes.</summary>
    public const string Strokes = "augmentation: {rotate: 15, scale: 0.15, translate: 0.1, shear: 10}";

    public static ImageShape Shape { get; } = new(1, 32, 32);

    /// <summary>Trains with the recipe's lines.</summary>
    public static TrainingTrial Run(ImageSet train, ImageSet test, string yaml)
    {
        var recipe = DatasetDefaults.Resolve(
            RecipeFile.Parse($"{yaml}\nimage: {{size: {Shape.Height}, invert: true}}", "benchmark"),
            new DatasetFacts(1, 105, 105, DarkOnLight: true, train.ClassNames.Length, train.Count));
        var folder = Directory.CreateTempSubdirectory("dml-trial-").FullName;
        try
        {
            var (start, cpu) = (Stopwatch.GetTimestamp(), Process.GetCurrentProcess().TotalProcessorTime);
            var outcome = TrainingLoop.Run(new TrainingJob { Recipe = recipe, Train = train, Validation = null, Folder = folder, Device = "cpu" }, CancellationToken.None);
            var images = outcome.History[^1].Step * (double)(recipe.Sampler.Classes!.Value * recipe.Sampler.ImagesPerClass!.Value);
            var (wall, used) = (Stopwatch.GetElapsedTime(start).TotalSeconds, (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds);

            using var model = EmbeddingModel.Load(outcome.ModelPath!);
            var embeddings = Embedder.Embed(model, test, 256, done: null, CancellationToken.None);
            var judged = RetrievalMetrics.Compute(embeddings, recipe.EmbeddingSize, test.Labels, EvaluationOptions.Validation, CancellationToken.None).Values;
            return new TrainingTrial(embeddings, judged["recall@1"], judged["map@r"], images / wall, images / used);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
