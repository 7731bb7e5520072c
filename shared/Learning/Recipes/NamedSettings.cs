using System.Globalization;
using DmlPipeline.Learning.Losses;

namespace DmlPipeline.Learning.Recipes;

/// <summary>One entry of a catalogue (a loss, a miner, …) and its options, each with a value: those left out have the entry's own default.</summary>
public abstract class NamedSettings : IEquatable<NamedSettings>
{
    private readonly IReadOnlyDictionary<string, object> values;

    /// <param name="kind">What the entry is, for messages.</param>
    /// <param name="name">As recipes write it.</param>
    /// <param name="options">Of the entry; null when the catalogue lacks it.</param>
    /// <param name="given">Values of some options: doubles, bools, texts.</param>
    /// <exception cref="ArgumentException">There is no such entry or option, or a value is of the wrong kind.</exception>
    protected NamedSettings(string kind, string name, IReadOnlyList<LossOption>? options, IReadOnlyDictionary<string, object> given)
    {
        if (options is null) throw new ArgumentException($"There is no {kind} '{name}'.", nameof(name));
        if (given.Keys.FirstOrDefault(key => options.All(option => option.Name != key)) is { } unknown)
            throw new ArgumentException($"The {kind} '{name}' has no option '{unknown}'.", nameof(given));
        Name = name;
        values = options.ToDictionary(
            option => option.Name, option => given.TryGetValue(option.Name, out var value) ? OfKind(option, value) : option.Default, StringComparer.Ordinal);
    }

    /// <summary>For entries with all their defaults.</summary>
    protected static IReadOnlyDictionary<string, object> NothingGiven { get; } = new Dictionary<string, object>(StringComparer.Ordinal);

    public string Name { get; }

    /// <summary>Every option with its value, in the order of their names.</summary>
    public IEnumerable<KeyValuePair<string, object>> Values => values.OrderBy(pair => pair.Key, StringComparer.Ordinal);

    /// <summary>Whether there is that option.</summary>
    public bool Has(string option) => values.ContainsKey(option);

    public double Number(string option) => (double)values[option];

    public bool Flag(string option) => (bool)values[option];

    public string Choice(string option) => (string)values[option];

    public bool Equals(NamedSettings? other) => other is not null && GetType() == other.GetType() && string.Equals(ToString(), other.ToString(), StringComparison.Ordinal);

    public override bool Equals(object? obj) => Equals(obj as NamedSettings);

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    /// <summary>The name and every option.</summary>
    public override string ToString() => string.Join(", ", Values.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key} {pair.Value}")).Prepend(Name));

    private static object OfKind(LossOption option, object value) =>
        value.GetType() == option.Default.GetType() ? value
        : throw new ArgumentException($"The option '{option.Name}' is a {option.Default.GetType().Name}, not a {value.GetType().Name}.", nameof(value));
}
