using DmlPipeline.Learning.Losses;

namespace DmlPipeline.Learning.Recipes;

/// <summary>One of the <see cref="Reductions"/> and its options.</summary>
public sealed class ReductionSettings : NamedSettings
{
    /// <summary>A reduction with some options given: doubles, bools, texts.</summary>
    /// <exception cref="ArgumentException">There is no such reduction or option, or a value is of the wrong kind.</exception>
    public ReductionSettings(string name, IReadOnlyDictionary<string, object>? given = null) : base("reduction", name, Reductions.Find(name)?.Options, given ?? NothingGiven) =>
        Entry = Reductions.Find(name)!;

    internal ReductionEntry Entry { get; }
}
