using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Miners;
using DmlPipeline.Learning.Recipes;
using TorchSharp;
using TorchSharp.Modules;

namespace DmlPipeline.Learning.Training;

/// <summary>What a run minimises: a loss, of the pairs that a miner chooses, among the images of the batch and of a memory.</summary>
internal sealed class Objective : MetricLoss
{
    private readonly MetricLoss loss;
    private readonly Miner? miner;
    private readonly CrossBatchMemory? memory;

    /// <summary>Owns the loss and the memory.</summary>
    public Objective(MetricLoss loss, Miner? miner = null, CrossBatchMemory? memory = null)
    {
        (this.loss, this.miner, this.memory) = (loss, miner, memory);
        Buffers = memory is null ? loss.Buffers : loss.Buffers.Concat(memory.Buffers).ToDictionary(StringComparer.Ordinal);
    }

    /// <summary>What the recipe asks for.</summary>
    /// <param name="recipe">With nothing left on auto.</param>
    /// <param name="classes">Training classes M.</param>
    /// <param name="dimensions">Embedding size D.</param>
    /// <param name="device">Where weights and memory lie.</param>
    /// <exception cref="InvalidDataException">Its parts do not go together.</exception>
    public static Objective Of(TrainingRecipe recipe, int classes, int dimensions, torch.Device device)
    {
        var made = LossCatalogue.Create(recipe.Loss, classes, dimensions, device);
        var mining = recipe.Miner is { } chosen ? MinerCatalogue.Create(chosen) : null;
        var whole = $"The loss '{recipe.Loss.Name}' looks at a batch as a whole, so it cannot be";
        if (recipe.Memory is not null && !made.IsSumOverAnchors) throw new InvalidDataException($"{whole} compared with a memory: leave memory out.");
        if (recipe.AnchorChunk is not null && !made.IsSumOverAnchors)
            throw new InvalidDataException($"{whole} worked off in chunks: leave anchor_chunk out{(made.ClassWeights is { IsSampled: true } ? ", or sampled_classes." : ".")}");
        if (recipe.AnchorChunk is not null && mining is { IsPerAnchor: false })
            throw new InvalidDataException($"The miner '{recipe.Miner!.Name}' looks at a batch as a whole, so it cannot be worked off in chunks: leave anchor_chunk out.");
        var remembered = recipe.Memory is { } settings ? new CrossBatchMemory(settings.Size, dimensions, settings.Start, device) : null;
        return new Objective(made, mining, remembered);
    }

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, Parameter> Parameters => loss.Parameters;

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, torch.Tensor> Buffers { get; }

    /// <inheritdoc />
    public override ClassWeights? ClassWeights => loss.ClassWeights;

    /// <inheritdoc />
    public override bool IsSumOverAnchors => loss.IsSumOverAnchors && miner is not { IsPerAnchor: false };

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        (loss.Heat, loss.Progress) = (Heat, Progress);
        if (memory is not null) input = memory.Extend(input, Progress);
        if (miner is not null) input = input with { Selection = miner.Select(input) };
        return loss.Terms(input);
    }

    /// <inheritdoc />
    public override void AfterStep(LossInput input)
    {
        loss.AfterStep(input);
        memory?.Enqueue(input.Anchors, input.AnchorLabels);
    }
}
