using DmlPipeline.Learning.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Losses;

public sealed class DiagnosticsTests
{
    [Fact]
    public void Similarities_are_the_means_over_all_pairs()
    {
        using var scope = NewDisposeScope();
        manual_seed(6);
        long[] labels = [4, 4, 7, 4, 1, 7, 7, 7];
        var x = randn([8, 3]).to(ScalarType.Float64) + 0.4;
        var f = nn.functional.normalize(x);
        var cosine = f.matmul(f.t());
        List<double> positive = [], negative = [];
        for (var i = 0; i < 8; i++)
            for (var j = 0; j < 8; j++)
                if (i != j) (labels[i] == labels[j] ? positive : negative).Add(cosine[i, j].item<double>());

        var found = LossDiagnostics.Measure(x, tensor(labels), [new LossTerms(tensor(new[] { 0.02, 0.5, 0, 9 }), tensor(new[] { true, true, true, false }))]);

        found.PositiveSimilarity.ShouldBe(positive.Average(), 1e-12);
        found.NegativeSimilarity.ShouldBe(negative.Average(), 1e-12);
        found.ActiveFraction.ShouldBe(2.0 / 3);
    }

    [Fact]
    public void Without_pairs_there_is_no_similarity()
    {
        using var scope = NewDisposeScope();
        var none = new LossTerms(zeros([1]), zeros([1], ScalarType.Bool));

        LossDiagnostics.Measure(ones([1, 3]), tensor(new long[] { 5 }), [none]).ShouldBe(new LossDiagnostics(0, 0, 0));
        LossDiagnostics.Measure(ones([2, 3]), tensor(new long[] { 5, 6 }), [none]).PositiveSimilarity.ShouldBe(0);
        LossDiagnostics.Measure(ones([2, 3]), tensor(new long[] { 5, 5 }), [none]).NegativeSimilarity.ShouldBe(0);
        LossDiagnostics.Measure(ones([0, 3]), tensor(Array.Empty<long>()), [none]).ShouldBe(new LossDiagnostics(0, 0, 0));
    }
}
