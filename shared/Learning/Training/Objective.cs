using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Miners;
using DmlPipeline.Learning.Recipes;
using TorchSharp;
using TorchSharp.Modules;

namespace DmlPipeline.Learning.Training;

/// <summary>What a run minimises: a loss, of the pairs that a miner chooses, among the images of the batch and of a memory; reduced to one number, and regularised.</summary>
internal sealed class Objective : MetricLoss
{
    private readonly MetricLoss loss;

    /// <summary>Owns the loss.</summary>
    public Objective(MetricLoss loss) => this.loss = loss;

    public Miner? Miner { get; init; }

    /// <summary>Owned, and kept in checkpoints.</summary>
    public CrossBatchMemory? Memory { get; init; }

    /// <summary>From terms and the labels of anchors to terms; null for the loss's own way.</summary>
    public Func<LossTerms, torch.Tensor, LossTerms>? Reduction { get; init; }

    public IReadOnlyList<RegulariserSettings> Regularisers { get; init; } = [];

    /// <summary>Class weights of each class, for regularisers.</summary>
    public int WeightsPerClass { get; init; } = 1;

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, Parameter> Parameters => loss.Parameters;

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, torch.Tensor> Buffers =>
        Memory is null ? loss.Buffers : loss.Buffers.Concat(Memory.Buffers).ToDictionary(StringComparer.Ordinal);

    /// <inheritdoc />
    public override ClassWeights? ClassWeights => loss.ClassWeights;

    /// <inheritdoc />
    public override bool IsSumOverAnchors =>
        loss.IsSumOverAnchors && Miner is not { IsPerAnchor: false } && Regularisers.All(regulariser => regulariser.Entry.IsSumOverAnchors);

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        (loss.Heat, loss.Progress) = (Heat, Progress);
        var compared = Memory is null ? input : Memory.Extend(input, Progress);
        if (Miner is not null) compared = compared with { Selection = Miner.Select(compared) };
        var terms = loss.Terms(compared);
        if (Reduction is not null) terms = [.. terms.Select(kind => kind.IsRegulariser ? kind : Reduction(kind, input.AnchorLabels))];
        return [.. terms, .. Regularisers.Select(regulariser => Added(regulariser, input))];
    }

    /// <inheritdoc />
    public override void BeginAt(torch.Tensor means) => loss.BeginAt(means);

    /// <inheritdoc />
    public override void AfterStep(LossInput input)
    {
        loss.AfterStep(input);
        Memory?.Enqueue(input.Anchors, input.AnchorLabels);
    }

    private LossTerms Added(RegulariserSettings regulariser, LossInput input)
    {
        var terms = regulariser.Entry.OfFeatures is { } ofFeatures
            ? ofFeatures(regulariser, input)
            : regulariser.Entry.OfClassWeights!(regulariser, As(loss.Parameters["weights"], input.Anchors), WeightsPerClass);
        return terms.Times(regulariser.Number("weight")) with { IsRegulariser = true };
    }
}
