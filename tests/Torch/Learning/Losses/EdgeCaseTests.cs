using DmlPipeline.Learning.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Losses;

/// <summary>Cases of single losses and of what they are made of; what holds for all of them is in <see cref="CatalogueTests"/>.</summary>
public sealed class EdgeCaseTests
{
    [Theory]
    [InlineData("circle-class")]
    [InlineData("softmax")]
    [InlineData("ln")]
    [InlineData("bn")]
    [InlineData("cosface")]
    [InlineData("arcface")]
    [InlineData("proxy-nca")]
    [InlineData("soft-triple")]
    public void A_single_class_to_choose_from_teaches_nothing(string name)
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        var features = randn([3, 8]).requires_grad_();
        // SoftTriple's regulariser is of the centres alone.
        var settings = name == "soft-triple" ? new Dictionary<string, object> { ["centre_regularisation"] = 0.0 } : [];
        using var loss = LossCatalogue.Create(new(name, settings), classes: 1, dimensions: 8, CPU);

        var value = loss.Compute(LossInput.Batch(features, tensor(new long[] { 0, 0, 0 })));
        value.backward();

        value.item<float>().ShouldBe(0, 1e-5);
        features.grad!.data<float>().ToArray().ShouldAllBe(slope => Math.Abs(slope) < 1e-5);
    }

    [Fact]
    public void A_batch_no_larger_than_the_embedding_teaches_spectral_clustering_too()
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        var features = randn([6, 16]).requires_grad_();
        using var loss = LossCatalogue.Create(new("spectral-clustering"), classes: 3, dimensions: 16, CPU);

        loss.Compute(LossInput.Batch(features, tensor(new long[] { 0, 0, 1, 1, 2, 2 }))).backward();

        features.grad!.data<float>().ToArray().Max(Math.Abs).ShouldBeGreaterThan(1e-3f);
    }

    [Fact]
    public void Anchors_without_a_partner_change_nothing_for_the_others()
    {
        using var scope = NewDisposeScope();
        var x = randn([5, 8]);
        var labels = tensor(new long[] { 0, 0, 1, 1, 2 });

        var losses = IceLoss.PerAnchor(LossInput.Batch(x, labels), 16, sums: false);

        losses.Values[4].item<float>().ShouldBe(0);
        losses.Counted[4].item<bool>().ShouldBeFalse();
        losses.Mean().item<float>().ShouldBe((losses.Values.sum() / 4).item<float>(), 1e-6f);
    }

    [Fact]
    public void Softplus_has_half_a_slope_at_zero_and_does_not_overflow()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { -1e9f, -100f, 0f, 100f, 1e9f }, requires_grad: true);

        var y = Stable.Softplus(x);
        y.sum().backward();

        y.data<float>().ToArray().ShouldBe([0f, 0f, MathF.Log(2), 100f, 1e9f]);
        x.grad!.data<float>().ToArray().ShouldBe([0f, 0f, 0.5f, 1f, 1f], 1e-30);
    }

    [Fact]
    public void Diagnostics_tell_pairs_apart()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new float[,] { { 1, 0 }, { 1, 0 }, { 0, 1 }, { 0, 1 } });
        var labels = tensor(new long[] { 0, 0, 1, 1 });

        var found = LossDiagnostics.Measure(x, labels, [IceLoss.PerAnchor(LossInput.Batch(x, labels), 16, sums: false)]);

        found.PositiveSimilarity.ShouldBe(1, 1e-6);
        found.NegativeSimilarity.ShouldBe(0, 1e-6);
        found.ActiveFraction.ShouldBe(0);
    }
}
