using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace DmlPipeline.Storage.Work;

/// <summary>
/// What a job asks of the worker that does it: conditions on the worker's labels, by commas. <c>gpu</c> asks for a label, <c>site=berlin</c>
/// for its value, <c>gpu-memory&gt;=40GB</c> for a number that is no smaller.
/// </summary>
public sealed partial class Needs
{
    private static readonly Dictionary<string, double> Units = new(StringComparer.OrdinalIgnoreCase)
    {
        [""] = 1, ["B"] = 1, ["kB"] = 1e3, ["MB"] = 1e6, ["GB"] = 1e9, ["TB"] = 1e12, ["KiB"] = 1024, ["MiB"] = 1 << 20, ["GiB"] = 1 << 30, ["TiB"] = 1L << 40,
    };

    private Needs(IReadOnlyList<Need> all) => All = all;

    /// <summary>Each condition.</summary>
    public IReadOnlyList<Need> All { get; }

    /// <summary>Reads conditions.</summary>
    /// <exception cref="FormatException">One of them is none; it says what is allowed.</exception>
    public static Needs Parse(string text)
    {
        var parts = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return parts.Length == 0 ? throw Wrong(text) : new Needs([.. parts.Select(One).OrderBy(need => need.ToString(), StringComparer.Ordinal)]);
    }

    /// <summary>A number with or without a unit of bytes; null when it is none.</summary>
    public static double? Number(string text)
    {
        var digits = text.AsSpan().TrimEnd("BbKkMmGgTtIi ");
        return double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && Units.TryGetValue(text[digits.Length..].Trim(), out var unit)
            ? number * unit
            : null;
    }

    /// <returns>The conditions that a worker of these labels does not meet.</returns>
    public IEnumerable<Need> Unmet(IReadOnlyDictionary<string, string> labels) => All.Where(need => !need.IsMetBy(labels));

    /// <summary>As <see cref="Parse"/>, where a text that cannot be read is no error.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Needs? needs)
    {
        try
        {
            needs = Parse(text);
            return true;
        }
        catch (FormatException)
        {
            needs = null;
            return false;
        }
    }

    /// <summary>Whether a worker of these labels can do what needs this; a text that cannot be read can be done by none.</summary>
    public static bool AreMet(string? needs, IReadOnlyDictionary<string, string> labels) => needs is null || TryParse(needs, out var read) && !read.Unmet(labels).Any();

    /// <summary>The same text for the same conditions.</summary>
    public override string ToString() => string.Join(',', All);

    private static Need One(string text)
    {
        var match = Condition().Match(text);
        if (!match.Success) throw Wrong(text);
        var need = new Need(match.Groups["key"].Value, match.Groups["sign"].Value, match.Groups["value"].Value);
        return need.Sign == ">=" && Number(need.Value) is null ? throw Wrong(text) : need;
    }

    private static FormatException Wrong(string text) =>
        new($"'{text}' is nothing that a worker could have: write conditions by commas, such as gpu, site=berlin or gpu-memory>=40GB.");

    [GeneratedRegex("^(?<key>[a-z][a-z0-9-]{0,62})(?:(?<sign>>=|=)(?<value>[A-Za-z0-9][A-Za-z0-9 ._:/-]{0,126}))?$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Condition();
}

/// <param name="Key">Of the label.</param>
/// <param name="Sign"><c>=</c>, <c>&gt;=</c>, or nothing: any value will do.</param>
/// <param name="Value">What it is compared with.</param>
public sealed record Need(string Key, string Sign, string Value)
{
    public bool IsMetBy(IReadOnlyDictionary<string, string> labels) => labels.TryGetValue(Key, out var has) && Sign switch
    {
        "" => true,
        "=" => string.Equals(has, Value, StringComparison.OrdinalIgnoreCase),
        _ => Needs.Number(has) >= Needs.Number(Value),
    };

    public override string ToString() => $"{Key}{Sign}{Value}";
}
