using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Recipes;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Losses;

/// <summary>What must hold for every loss of the catalogue, a new one too.</summary>
public sealed class CatalogueTests
{
    private const int Dimensions = 8, Classes = 4;

    public static TheoryData<string> Names => [.. LossCatalogue.Names];

    public static TheoryData<string> PairLosses => [.. LossCatalogue.All.Where(entry => entry.LearnsFromPairs).Select(entry => entry.Name)];

    [Fact]
    public void Names_are_unique_and_options_are_complete()
    {
        LossCatalogue.Names.Distinct().Count().ShouldBe(LossCatalogue.All.Count);
        foreach (var entry in LossCatalogue.All)
        {
            entry.Paper.ShouldNotBeEmpty(entry.Name);
            foreach (var option in entry.Options)
            {
                option.Reason.ShouldNotBeEmpty($"{entry.Name}.{option.Name}");
                if (option.Default is double number) number.ShouldBeInRange(option.Minimum, option.Maximum, $"{entry.Name}.{option.Name}");
                if (option.Default is string text) option.Choices.ShouldContain(text);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void An_empty_batch_gives_zero(string name)
    {
        using var scope = NewDisposeScope();
        var (loss, gradient) = Run(name, zeros([0, Dimensions]), []);

        // SoftTriple's regulariser is of the centres alone.
        if (name != "soft-triple") loss.ShouldBe(0);
        gradient.ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(PairLosses))]
    public void Without_a_positive_and_a_negative_nothing_is_learned(string name)
    {
        using var scope = NewDisposeScope();
        foreach (var labels in new long[][] { [2, 2, 2, 2], [0, 1, 2, 3], [0] })
        {
            // Contrastive pairs and boundaries have something to say about a batch without positives, and FastAP about one without negatives.
            if (name is "contrastive" or "snr-contrastive" or "margin" or "hardnet") continue;
            manual_seed(3);
            var (loss, gradient) = Run(name, randn([labels.Length, Dimensions]), labels);
            loss.ShouldBe(0, 1e-6, $"{string.Join(',', labels)}");
            gradient.ShouldAllBe(value => Math.Abs(value) < 1e-6);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void No_batch_makes_a_loss_or_a_gradient_infinite(string name)
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        long[] labels = [0, 0, 1, 1, 2, 3];
        var opposite = ones([6, Dimensions]);
        opposite[1] = -opposite[1];
        opposite[3] = -opposite[3];
        foreach (var x in new[] { ones([6, Dimensions]), zeros([6, Dimensions]), opposite, randn([6, Dimensions]) * 60_000, randn([6, Dimensions]) * 1e-4 })
        {
            // Unnormalised inner products of features beyond 1e4 leave single precision by definition: that is what its regulariser is for.
            if (name is "n-pairs" && x.abs().max().item<float>() > 1e4) continue;
            var (loss, gradient) = Run(name, x, labels);
            float.IsFinite(loss).ShouldBeTrue($"{loss}");
            gradient.ShouldAllBe(value => float.IsFinite(value));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Chunks_of_anchors_add_up_to_the_whole(string name)
    {
        using var scope = NewDisposeScope();
        manual_seed(6);
        using var loss = Create(name);
        // Negatives are drawn at random, and a regulariser of the centres alone comes with every chunk.
        if (!loss.IsSumOverAnchors || name is "margin" or "soft-triple") return;
        var input = LossInput.Batch(randn([9, Dimensions]).to(ScalarType.Float64), tensor(new long[] { 0, 0, 0, 1, 1, 2, 2, 3, 3 }));

        var whole = loss.Terms(input);
        var chunks = new[] { input.Chunk(0, 4), input.Chunk(4, 5) }.Select(loss.Terms).ToList();

        for (var kind = 0; kind < whole.Count; kind++)
        {
            chunks.Sum(chunk => chunk[kind].Values.sum().item<double>()).ShouldBe(whole[kind].Values.sum().item<double>(), 1e-9);
            chunks.Sum(chunk => chunk[kind].Divisor().item<double>()).ShouldBe(whole[kind].Divisor().item<double>());
        }
    }

    private static MetricLoss Create(string name) => LossCatalogue.Create(new LossSettings(name), Classes, Dimensions, CPU);

    private static (float Loss, float[] Gradient) Run(string name, Tensor x, long[] labels)
    {
        using var scope = NewDisposeScope();
        using var loss = Create(name);
        var features = x.detach().clone().requires_grad_();
        var value = loss.Compute(LossInput.Batch(features, tensor(labels)));
        value.backward();
        return (value.item<float>(), features.grad?.data<float>().ToArray() ?? new float[x.numel()]);
    }
}
