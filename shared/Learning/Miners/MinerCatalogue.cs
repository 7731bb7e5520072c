using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Learning.Miners;

/// <summary>Every miner by the name that recipes give it. A new miner is a file with an entry, and a line here.</summary>
public static class MinerCatalogue
{
    /// <summary>In the order of the documentation: triplets, pairs, random ones.</summary>
    public static IReadOnlyList<MinerEntry> All { get; } =
    [
        AllPairsMiner.Entry,
        .. TripletMarginMiner.Entries,
        BatchHardMiner.HardEntry,
        BatchHardMiner.Entry,
        NHardMiner.Entry,
        AngularMiner.Entry,
        MultiSimilarityMiner.Entry,
        PairMarginMiner.Entry,
        CascadeMiner.Entry,
        DistanceWeightedMiner.Entry,
        UniformHistogramMiner.Entry,
        AsSampledMiner.Entry,
    ];

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(entry => entry.Name)];

    /// <summary>The miner of that name, or null.</summary>
    public static MinerEntry? Find(string name) => All.FirstOrDefault(entry => string.Equals(entry.Name, name, StringComparison.Ordinal));

    /// <summary>Makes the miner that the settings describe.</summary>
    public static Miner Create(MinerSettings settings) => settings.Entry.Make(settings);
}
