using DmlPipeline.Learning.Regularisers;

namespace DmlPipeline.Learning.Recipes;

/// <summary>A regulariser of the <see cref="RegulariserCatalogue"/> and its options.</summary>
public sealed class RegulariserSettings : NamedSettings
{
    /// <summary>A regulariser with some options given: doubles, bools, texts.</summary>
    /// <exception cref="ArgumentException">There is no such regulariser or option, or a value is of the wrong kind.</exception>
    public RegulariserSettings(string name, IReadOnlyDictionary<string, object>? given = null)
        : base("regulariser", name, RegulariserCatalogue.Find(name)?.Options, given ?? NothingGiven) => Entry = RegulariserCatalogue.Find(name)!;

    internal RegulariserEntry Entry { get; }
}
