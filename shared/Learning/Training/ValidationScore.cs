using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Learning.Models;

namespace DmlPipeline.Learning.Training;

/// <summary>How well the model finds images of the same class among classes that it has not trained on.</summary>
internal sealed record ValidationScore(double Recall1, double MapAtR)
{
    public static ValidationScore Measure(EmbeddingModel model, ImageSet validation, CancellationToken cancel)
    {
        var embeddings = Embedder.Embed(model, validation, batchSize: 256, done: null, cancel);
        var metrics = RetrievalMetrics.Compute(embeddings, model.Spec.EmbeddingSize, validation.Labels, EvaluationOptions.Validation);
        return new ValidationScore(metrics.Recall1, metrics.MapAtR);
    }
}
