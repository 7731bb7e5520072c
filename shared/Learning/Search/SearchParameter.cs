using System.Globalization;

namespace DmlPipeline.Learning.Search;

public enum ParameterKind
{
    /// <summary>Any number between two, all alike.</summary>
    Range,

    /// <summary>Any number between two positive ones, all magnitudes alike.</summary>
    LogRange,

    /// <summary>Whole numbers between two, both included.</summary>
    WholeRange,

    /// <summary>One of a list.</summary>
    Choices,
}

/// <summary>One setting that a search varies. Searches work on places in [0, 1); this gives them their meaning.</summary>
/// <param name="Key">Path in a recipe, such as "loss.scale".</param>
/// <param name="Kind">What values there are.</param>
/// <param name="Low">Smallest value of a range.</param>
/// <param name="High">Largest value of a range.</param>
/// <param name="Choices">Values as a recipe writes them; empty for ranges.</param>
public sealed record SearchParameter(string Key, ParameterKind Kind, double Low, double High, IReadOnlyList<string> Choices)
{
    public static SearchParameter Of(string key, ParameterKind kind, double low, double high) => new(key, kind, low, high, []);

    public static SearchParameter Of(string key, params string[] choices) => new(key, ParameterKind.Choices, 0, 0, choices);

    /// <summary>The value at a place, as a recipe writes it; four digits, so that recipes stay readable.</summary>
    public string At(double place)
    {
        if (place is not (>= 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(place), place, "A place lies in [0, 1).");
        return Kind switch
        {
            ParameterKind.Choices => Choices[(int)(place * Choices.Count)],
            ParameterKind.WholeRange => (Low + Math.Floor(place * (High - Low + 1))).ToString("0", CultureInfo.InvariantCulture),
            ParameterKind.LogRange => Rounded(Low * Math.Pow(High / Low, place)),
            _ => Rounded(Low + (place * (High - Low))),
        };
    }

    /// <summary>As <see cref="ParameterKind"/> in words: "0.001 … 0.1, log".</summary>
    public string Describe() => Kind switch
    {
        ParameterKind.Choices => string.Join(" | ", Choices),
        ParameterKind.LogRange => $"{Text(Low)} … {Text(High)}, log",
        ParameterKind.WholeRange => $"{Text(Low)} … {Text(High)}, whole",
        _ => $"{Text(Low)} … {Text(High)}",
    };

    // Rounding must not leave the range: its ends may be all that the recipe allows.
    private string Rounded(double value) => Text(Math.Clamp(double.Parse(value.ToString("G4", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture), Low, High));

    internal static string Text(double value)
    {
        // Recipes read 1E-05 as a number too, but people read 0.00001.
        var text = value.ToString("0.############", CultureInfo.InvariantCulture);
        return value != 0 && Math.Abs(value) < 1e-9 ? value.ToString("R", CultureInfo.InvariantCulture) : text;
    }
}
