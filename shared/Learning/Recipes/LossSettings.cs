using System.Globalization;
using DmlPipeline.Learning.Losses;

namespace DmlPipeline.Learning.Recipes;

/// <summary>A loss of the <see cref="LossCatalogue"/> and its options, each with a value: those left out have the loss's own default.</summary>
public sealed class LossSettings : IEquatable<LossSettings>
{
    private readonly IReadOnlyDictionary<string, object> values;

    /// <summary>A loss with all its defaults.</summary>
    /// <exception cref="ArgumentException">There is no such loss.</exception>
    public LossSettings(string name) : this(name, new Dictionary<string, object>(StringComparer.Ordinal))
    {
    }

    /// <summary>A loss with some options given: doubles, bools, texts.</summary>
    /// <exception cref="ArgumentException">There is no such loss or option, or a value is of the wrong kind.</exception>
    public LossSettings(string name, IReadOnlyDictionary<string, object> given)
    {
        Entry = LossCatalogue.Find(name) ?? throw new ArgumentException($"There is no loss '{name}'.", nameof(name));
        if (given.Keys.FirstOrDefault(key => Entry.Options.All(option => option.Name != key)) is { } unknown)
            throw new ArgumentException($"The loss '{name}' has no option '{unknown}'.", nameof(given));
        values = Entry.Options.ToDictionary(
            option => option.Name, option => given.TryGetValue(option.Name, out var value) ? OfKind(option, value) : option.Default, StringComparer.Ordinal);
    }

    public string Name => Entry.Name;

    internal LossEntry Entry { get; }

    /// <summary>Every option with its value, in the order of their names.</summary>
    public IEnumerable<KeyValuePair<string, object>> Values => values.OrderBy(pair => pair.Key, StringComparer.Ordinal);

    /// <summary>Whether the loss has that option.</summary>
    public bool Has(string option) => values.ContainsKey(option);

    public double Number(string option) => (double)values[option];

    public bool Flag(string option) => (bool)values[option];

    public string Choice(string option) => (string)values[option];

    public bool Equals(LossSettings? other) => other is not null && string.Equals(ToString(), other.ToString(), StringComparison.Ordinal);

    public override bool Equals(object? obj) => Equals(obj as LossSettings);

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    /// <summary>The name and every option.</summary>
    public override string ToString() => string.Join(", ", Values.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key} {pair.Value}")).Prepend(Name));

    private static object OfKind(LossOption option, object value) =>
        value.GetType() == option.Default.GetType() ? value
        : throw new ArgumentException($"The option '{option.Name}' is a {option.Default.GetType().Name}, not a {value.GetType().Name}.", nameof(value));
}
