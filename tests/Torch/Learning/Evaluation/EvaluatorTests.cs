using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Learning.Models;
using DmlPipeline.Tests.Torch.Learning.Data;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

public sealed class EvaluatorTests
{
    private static readonly ModelSpec Spec = new("conv4", 16, new ImageShape(1, 28, 28), [0.5], [0.5], Invert: false);

    [Fact]
    public void A_model_is_judged_beside_raw_pixels_and_the_untrained_network_of_its_seed()
    {
        using var set = PatternSet.Random(Spec.Input, 6, 5, 4, 1);
        using var model = EmbeddingModel.Create(Spec, seed: 8);
        var told = new List<double>();

        var outcome = Evaluator.Evaluate(model, set, new EvaluationOptions { Seed = 8 }, (_, share) => told.Add(share), CancellationToken.None);

        var report = outcome.Report;
        (report.Images, report.Classes, report.Queries, report.ExcludedQueries, report.EmbeddingSize).ShouldBe((16, 4, 15, 1, 16));
        report.KMeans!.Clusters.ShouldBe(4);
        report.Baselines.Keys.ShouldBe(["raw-pixels", "untrained"]);
        report.Baselines["raw-pixels"].Keys.ShouldBe(report.Metrics.Keys);
        // A model that was never trained is its own untrained baseline.
        report.Baselines["untrained"].ShouldBe(report.Metrics);
        outcome.Embeddings.Length.ShouldBe(16 * 16);
        told.ShouldBeInOrder();
        told[^1].ShouldBe(1);
        outcome.Gallery(set, protocol: null, worst: 2, random: 2, neighbours: 8, seed: 1, CancellationToken.None).Worst.Count.ShouldBe(2);
    }

    [Fact]
    public void Evaluation_stops_when_it_is_cancelled()
    {
        using var set = PatternSet.Random(Spec.Input, 6, 5);
        using var model = EmbeddingModel.Create(Spec, seed: 8);

        Should.Throw<OperationCanceledException>(() => Evaluator.Evaluate(model, set, new EvaluationOptions(), null, new CancellationToken(canceled: true)));
    }
}
