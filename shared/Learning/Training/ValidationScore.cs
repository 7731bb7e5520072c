using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Learning.Models;

namespace DmlPipeline.Learning.Training;

/// <summary>How well the model finds images of the same class among classes that it has not trained on.</summary>
internal sealed record ValidationScore(double Recall1, double MapAtR)
{
    private static readonly EvaluationOptions Options = EvaluationOptions.Validation;

    /// <summary>Whether there is anything to find: a class with two images, and another class.</summary>
    public static bool IsPossible(ImageSet validation) => validation.ClassNames.Length > 1 && validation.ImagesPerClass.Any(count => count > 1);

    public static ValidationScore Measure(EmbeddingModel model, ImageSet validation, CancellationToken cancel)
    {
        var embeddings = Embedder.Embed(model, validation, Options.BatchSize, done: null, cancel);
        var found = RetrievalMetrics.Compute(embeddings, model.Spec.EmbeddingSize, validation.Labels, Options, cancel).Values;
        return new ValidationScore(found["recall@1"], found["map@r"]);
    }
}
