using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Losses;

public sealed class ReductionTests
{
    private static readonly int[] Images = [30, 10, 5];
    private static readonly long[] AnchorLabels = [0, 0, 1, 2];

    // Four anchors and three references; the last anchor has no pair that counts.
    private static readonly double[,] Values = { { 1, 0, 4 }, { 0, 0, 0 }, { 2, 3, 0 }, { 0, 0, 0 } };
    private static readonly bool[,] Counted = { { true, true, true }, { true, true, false }, { true, true, false }, { false, false, false } };

    [Theory]
    [InlineData("mean", 10.0 / 7)]
    [InlineData("mean-of-non-zero", 10.0 / 4)]
    [InlineData("sum", 10)]
    [InlineData("per-anchor-mean", ((5.0 / 3) + 0 + (5.0 / 2)) / 3)]
    [InlineData("threshold", (1 + 4 + 2 + 3) / 4.0)]
    [InlineData("threshold low 1", (4 + 2 + 3) / 3.0)]
    [InlineData("threshold low 1 high 4", (2 + 3) / 2.0)]
    // 45 images of 3 classes: weights 0.5, 1.5 and 3.
    [InlineData("class-weighted", ((5 * 0.5) + (5 * 1.5)) / 7)]
    [InlineData("class-weighted power 0", 10.0 / 7)]
    public void Terms_of_pairs_become_one_number_as_defined(string reduction, double expected)
    {
        using var scope = NewDisposeScope();
        var terms = LossTerms.Only(tensor(Values), tensor(Counted), nonZeroOnly: true);

        Reduce(reduction, terms).Mean().item<double>().ShouldBe(expected, 1e-12);
    }

    [Theory]
    [InlineData("per-anchor-mean", ((6.0 / 2) + 5) / 2)]
    [InlineData("class-weighted", ((6 * 0.5) + (5 * 1.5)) / 3)]
    public void Terms_of_triplets_belong_to_their_anchors(string reduction, double expected)
    {
        using var scope = NewDisposeScope();
        var values = tensor(new[] { 2.0, 4, 5 });
        var terms = new LossTerms(values, ones([3], ScalarType.Bool)) { Anchors = tensor(new long[] { 0, 0, 2 }) };

        Reduce(reduction, terms).Mean().item<double>().ShouldBe(expected, 1e-12);
    }

    [Fact]
    public void Nothing_that_counts_is_zero_with_zero_gradient()
    {
        using var scope = NewDisposeScope();
        foreach (var name in Reductions.Names)
        {
            var x = randn([4, 3]).to(ScalarType.Float64).requires_grad_();

            var loss = Reduce(name, LossTerms.Only(x.square(), zeros([4, 3], ScalarType.Bool))).Mean();
            loss.backward();

            loss.item<double>().ShouldBe(0, name);
            x.grad!.abs().sum().item<double>().ShouldBe(0, name);
        }
    }

    [Fact]
    public void Every_reduction_in_chunks_of_anchors_gives_the_gradient_of_the_whole()
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        var labels = tensor(new long[] { 0, 0, 0, 1, 1, 1, 1, 2, 2 });
        foreach (var name in Reductions.Names)
        {
            foreach (var loss in new[] { "contrastive", "triplet", "ice" })
            {
                var settings = new ReductionSettings(name);
                using var objective = new Objective(LossCatalogue.Create(new LossSettings(loss), 3, 5, CPU)) { Reduction = settings.Entry.Make(settings, Images) };
                var x = randn([9, 5]).to(ScalarType.Float64).requires_grad_();

                var whole = objective.Compute(LossInput.Batch(x, labels));
                whole.backward();
                var (value, gradient, _) = AnchorChunks.Gradient(objective, x, labels, chunk: 4);

                value.ShouldBe(whole.item<double>(), 1e-9, $"{name} of {loss}");
                (gradient - x.grad!).abs().max().item<double>().ShouldBe(0, 1e-9, $"{name} of {loss}");
            }
        }
    }

    [Fact]
    public void Terms_that_are_of_no_anchor_are_refused_where_anchors_matter()
    {
        using var scope = NewDisposeScope();
        var terms = new LossTerms(ones([7]), ones([7], ScalarType.Bool));

        Should.Throw<InvalidDataException>(() => Reduce("per-anchor-mean", terms)).Message.ShouldContain("not of single anchors");
        Reduce("class-weighted", new LossTerms(ones([1]), ones([1], ScalarType.Bool))).Mean().item<float>().ShouldBe(1);
    }

    private static LossTerms Reduce(string reduction, LossTerms terms)
    {
        var words = reduction.Split(' ');
        var given = words[1..].Chunk(2).ToDictionary(pair => pair[0], pair => (object)double.Parse(pair[1]), StringComparer.Ordinal);
        var settings = new ReductionSettings(words[0], given);
        return settings.Entry.Make(settings, Images)(terms, tensor(AnchorLabels));
    }
}
