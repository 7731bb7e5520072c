using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Miners;
using DmlPipeline.Learning.Regularisers;

namespace DmlPipeline.Learning.Recipes;

/// <summary>A catalogue as recipes see it.</summary>
/// <param name="Type">Of the settings.</param>
/// <param name="What">One entry of it, in words.</param>
/// <param name="Names">Of all entries.</param>
/// <param name="Default">The entry where none is named; null when one must be.</param>
/// <param name="Options">Of an entry by name; null for a name that is none.</param>
/// <param name="Make">Makes settings of a name and given options.</param>
internal sealed record NamedKind(
    Type Type, string What, IReadOnlyList<string> Names, string? Default, Func<string, IReadOnlyList<LossOption>?> Options,
    Func<string, IReadOnlyDictionary<string, object>, NamedSettings> Make)
{
    private static readonly NamedKind[] All =
    [
        new(typeof(LossSettings), "loss", LossCatalogue.Names, new TrainingRecipe().Loss.Name, name => LossCatalogue.Find(name)?.Options, (name, given) => new LossSettings(name, given)),
        new(typeof(MinerSettings), "miner", MinerCatalogue.Names, Default: null, name => MinerCatalogue.Find(name)?.Options, (name, given) => new MinerSettings(name, given)),
        new(typeof(ReductionSettings), "reduction", Reductions.Names, Default: null, name => Reductions.Find(name)?.Options, (name, given) => new ReductionSettings(name, given)),
        new(typeof(RegulariserSettings), "regulariser", RegulariserCatalogue.Names, Default: null, name => RegulariserCatalogue.Find(name)?.Options, (name, given) => new RegulariserSettings(name, given)),
    ];

    /// <summary>The catalogue whose entries a type sets; null for other types.</summary>
    public static NamedKind? Of(Type settings) => All.FirstOrDefault(kind => kind.Type == settings);
}
