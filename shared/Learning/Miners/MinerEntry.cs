using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Learning.Miners;

/// <summary>One miner of the catalogue: what it is called, where it comes from, what it chooses, what can be set, and how it is made.</summary>
/// <param name="Name">As recipes write it.</param>
/// <param name="Source">Authors, venue, arXiv number.</param>
/// <param name="Choice">What it chooses, on one line.</param>
/// <param name="Make">Makes the miner.</param>
public sealed record MinerEntry(string Name, string Source, string Choice, Func<MinerSettings, Miner> Make)
{
    /// <summary>The options, in the order of the documentation.</summary>
    public IReadOnlyList<LossOption> Options { get; init; } = [];

    /// <summary>Says what is wrong with options that do not go together; null where nothing is.</summary>
    public Func<MinerSettings, string?>? Problem { get; init; }
}
