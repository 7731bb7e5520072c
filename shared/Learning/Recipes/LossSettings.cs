using DmlPipeline.Learning.Losses;

namespace DmlPipeline.Learning.Recipes;

/// <summary>A loss of the <see cref="LossCatalogue"/> and its options.</summary>
public sealed class LossSettings : NamedSettings
{
    /// <summary>A loss with all its defaults.</summary>
    /// <exception cref="ArgumentException">There is no such loss.</exception>
    public LossSettings(string name) : this(name, NothingGiven)
    {
    }

    /// <summary>A loss with some options given: doubles, bools, texts.</summary>
    /// <exception cref="ArgumentException">There is no such loss or option, or a value is of the wrong kind.</exception>
    public LossSettings(string name, IReadOnlyDictionary<string, object> given) : base("loss", name, LossCatalogue.Find(name)?.Options, given) =>
        Entry = LossCatalogue.Find(name)!;

    internal LossEntry Entry { get; }
}
