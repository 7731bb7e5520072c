using DmlPipeline.Learning.Recipes;
using DmlPipeline.Torch;

namespace DmlPipeline.Learning.Training;

/// <summary>Makes the optimiser that a recipe names.</summary>
internal static class OptimiserOfRecipe
{
    // PyTorch's, for all of them.
    private const double Epsilon = 1e-8;

    public static ForeachOptimizer Make(OptimiserSettings settings, IReadOnlyList<ParameterGroup> groups) => settings.Name switch
    {
        OptimiserKind.Adamw => new ForeachAdamW(groups, eps: settings.Epsilon ?? Epsilon),
        OptimiserKind.Adam => new ForeachAdam(groups, eps: settings.Epsilon ?? Epsilon),
        OptimiserKind.Rmsprop => new ForeachRmsprop(groups, settings.Momentum, eps: settings.Epsilon ?? Epsilon),
        _ => new ForeachSgd(groups, settings.Momentum),
    };
}
