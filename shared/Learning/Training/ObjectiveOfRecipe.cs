using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Miners;
using DmlPipeline.Learning.Recipes;
using TorchSharp;

namespace DmlPipeline.Learning.Training;

/// <summary>From a recipe and its training classes to what is minimised.</summary>
internal static class ObjectiveOfRecipe
{
    /// <param name="recipe">With nothing left on auto.</param>
    /// <param name="images">Of each training class.</param>
    /// <param name="dimensions">Embedding size D.</param>
    /// <param name="device">Where weights and memory lie.</param>
    /// <exception cref="InvalidDataException">Its parts do not go together; the message says which, and what to leave out.</exception>
    public static Objective Make(TrainingRecipe recipe, IReadOnlyList<int> images, int dimensions, torch.Device device)
    {
        var loss = LossCatalogue.Create(recipe.Loss, images, dimensions, device);
        var miner = recipe.Miner is { } chosen ? MinerCatalogue.Create(chosen) : null;
        var perClass = loss.ClassWeights?.PerClass ?? 1;
        if (Problem(recipe, loss, miner, perClass) is { } problem)
        {
            loss.Dispose();
            throw new InvalidDataException(problem);
        }
        return new Objective(loss)
        {
            Miner = miner,
            Memory = recipe.Memory is { } settings ? new CrossBatchMemory(settings.Size, dimensions, settings.Start, device) : null,
            Reduction = recipe.Reduction is { } reduction ? reduction.Entry.Make(reduction, images) : null,
            Regularisers = recipe.Regularisers ?? [],
            WeightsPerClass = perClass,
        };
    }

    private static string? Problem(TrainingRecipe recipe, MetricLoss loss, Miner? miner, int perClass)
    {
        const string Whole = "looks at a batch as a whole, so it cannot be", Chunks = "worked off in chunks: leave anchor_chunk out";
        var isSampled = loss.ClassWeights is { IsSampled: true };
        if (recipe.Memory is not null && !loss.IsSumOverAnchors) return $"The loss '{recipe.Loss.Name}' {Whole} compared with a memory: leave memory out.";
        foreach (var regulariser in recipe.Regularisers ?? [])
        {
            if (regulariser.Entry.OfClassWeights is not null && loss.ClassWeights is null)
                return $"The regulariser '{regulariser.Name}' is of class weights, and the loss '{recipe.Loss.Name}' has none: leave it out.";
            if (regulariser.Entry.OfClassWeights is not null && isSampled) return $"The regulariser '{regulariser.Name}' is of all class weights: leave sampled_classes out.";
            if (regulariser.Entry.NeedsCentres && perClass < 2) return $"The regulariser '{regulariser.Name}' is of several class weights for each class: use soft-triple or sub-centre-arcface.";
        }
        if (recipe.AnchorChunk is null) return null;
        if (!loss.IsSumOverAnchors) return $"The loss '{recipe.Loss.Name}' {Whole} {Chunks}{(isSampled ? ", or sampled_classes" : "")}.";
        if (miner is { IsPerAnchor: false }) return $"The miner '{recipe.Miner!.Name}' {Whole} {Chunks}.";
        return recipe.Regularisers?.FirstOrDefault(regulariser => !regulariser.Entry.IsSumOverAnchors) is { } whole ? $"The regulariser '{whole.Name}' {Whole} {Chunks}." : null;
    }
}
