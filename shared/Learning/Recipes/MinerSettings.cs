using DmlPipeline.Learning.Miners;

namespace DmlPipeline.Learning.Recipes;

/// <summary>A miner of the <see cref="MinerCatalogue"/> and its options.</summary>
public sealed class MinerSettings : NamedSettings
{
    /// <summary>A miner with all its defaults.</summary>
    /// <exception cref="ArgumentException">There is no such miner.</exception>
    public MinerSettings(string name) : this(name, NothingGiven)
    {
    }

    /// <summary>A miner with some options given: doubles, bools, texts.</summary>
    /// <exception cref="ArgumentException">There is no such miner or option, or a value is of the wrong kind.</exception>
    public MinerSettings(string name, IReadOnlyDictionary<string, object> given) : base("miner", name, MinerCatalogue.Find(name)?.Options, given) =>
        Entry = MinerCatalogue.Find(name)!;

    internal MinerEntry Entry { get; }
}
