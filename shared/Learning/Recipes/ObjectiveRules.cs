using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Miners;

namespace DmlPipeline.Learning.Recipes;

/// <summary>Rules between the loss and what chooses and remembers its pairs.</summary>
internal static class ObjectiveRules
{
    /// <summary>Reports each broken rule as (key, problem).</summary>
    public static void Check(TrainingRecipe recipe, Action<string, string> report)
    {
        var loss = recipe.Loss;
        if (recipe.Miner is { } miner)
        {
            if (!loss.Entry.TakesMiner)
                report("miner", $"cannot be given to the loss '{loss.Name}'; miners choose pairs for {string.Join(", ", LossCatalogue.All.Where(entry => entry.TakesMiner).Select(entry => entry.Name))}");
            if (miner.Entry.Problem?.Invoke(miner) is { } problem) report("miner", problem);
        }
        if (recipe.Sampler.Kind == SamplerKind.FixedTriplets != (recipe.Miner?.Name == AsSampledMiner.Entry.Name))
            report("miner", $"{AsSampledMiner.Entry.Name} and sampler.kind fixed-triplets belong together: the miner takes the triplets that the sampler has packed");
        if (recipe.Memory is not null && !loss.Entry.LearnsFromPairs)
            report("memory", $"cannot be given to the loss '{loss.Name}', which compares images with class weights and not with images");
        var regularisers = recipe.Regularisers ?? [];
        for (var i = 0; i < regularisers.Length; i++)
        {
            if (regularisers[i].Entry.OfClassWeights is not null && loss.Entry.LearnsFromPairs)
                report($"regularisers[{i}].name", $"is {regularisers[i].Name}, which is of class weights; the loss '{loss.Name}' has none");
        }
    }
}
