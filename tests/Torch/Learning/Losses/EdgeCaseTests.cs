using DmlPipeline.Learning.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Losses;

public sealed class EdgeCaseTests
{
    private const int Dimensions = 8, Classes = 4;

    [Theory]
    [MemberData(nameof(LossCase.Names), MemberType = typeof(LossCase))]
    public void Empty_batch_gives_zero_loss(string name)
    {
        var (loss, gradient) = Run(name, zeros([0, Dimensions]), []);

        loss.ShouldBe(0);
        gradient.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("ice-16-mean")]
    [InlineData("ice-16-sum")]
    [InlineData("circle-80-0.4")]
    public void Batch_of_one_class_gives_zero_loss_and_zero_gradient(string name)
    {
        var (loss, gradient) = Run(name, randn([5, Dimensions]), [2, 2, 2, 2, 2]);

        loss.ShouldBe(0);
        gradient.ShouldAllBe(value => value == 0);
    }

    [Theory]
    [InlineData("ice-16-mean")]
    [InlineData("ice-16-sum")]
    [InlineData("circle-80-0.4")]
    public void Batch_without_positive_pairs_gives_zero_loss_and_zero_gradient(string name)
    {
        var (loss, gradient) = Run(name, randn([4, Dimensions]), [0, 1, 2, 3]);

        loss.ShouldBe(0);
        gradient.ShouldAllBe(value => value == 0);
    }

    [Theory]
    [InlineData("circle-class-256-0.25")]
    [InlineData("softmax-none-1")]
    [InlineData("softmax-l2-16")]
    [InlineData("softmax-batch-16")]
    public void Single_class_to_choose_from_gives_zero_loss_and_zero_gradient(string name)
    {
        var (loss, gradient) = Run(name, randn([3, Dimensions]), [0, 0, 0], classes: 1);

        loss.ShouldBe(0, 1e-6);
        gradient.ShouldAllBe(value => Math.Abs(value) < 1e-6);
    }

    [Theory]
    [MemberData(nameof(LossCase.Names), MemberType = typeof(LossCase))]
    public void Identical_embeddings_give_finite_loss_and_gradient(string name)
    {
        var (loss, gradient) = Run(name, ones([6, Dimensions]), [0, 0, 1, 1, 2, 3]);

        loss.ShouldBeGreaterThan(0);
        gradient.ShouldAllBe(value => float.IsFinite(value));
    }

    [Theory]
    [MemberData(nameof(LossCase.Names), MemberType = typeof(LossCase))]
    public void Zero_features_give_finite_loss_and_gradient(string name)
    {
        var (loss, gradient) = Run(name, zeros([6, Dimensions]), [0, 0, 1, 1, 2, 3]);

        float.IsFinite(loss).ShouldBeTrue();
        gradient.ShouldAllBe(value => float.IsFinite(value));
    }

    [Theory]
    [MemberData(nameof(LossCase.Names), MemberType = typeof(LossCase))]
    public void Opposite_embeddings_within_classes_do_not_overflow(string name)
    {
        // The worst batch there is: classmates point away from each other, strangers coincide.
        var x = ones([4, Dimensions]);
        x[1] = -x[1];
        x[3] = -x[3];

        var (loss, gradient) = Run(name, x, [0, 0, 1, 1]);

        float.IsFinite(loss).ShouldBeTrue();
        gradient.ShouldAllBe(value => float.IsFinite(value));
    }

    [Fact]
    public void Anchors_without_a_partner_change_nothing_for_the_others()
    {
        using var scope = NewDisposeScope();
        var x = randn([5, Dimensions]);
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

    private static (float Loss, float[] Gradient) Run(string name, Tensor x, long[] labels, int classes = Classes)
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        var features = x.detach().requires_grad_();
        var loss = LossCase.All[name](features, tensor(labels), randn([classes, Dimensions]), zeros([classes])).Mean();
        loss.backward();
        return (loss.item<float>(), features.grad!.data<float>().ToArray());
    }
}
