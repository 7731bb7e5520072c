using System.Globalization;
using System.Text.RegularExpressions;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Registry;

/// <summary>Reads conditions on metrics: <c>recall@1>=0.9, map@r>0.5</c>.</summary>
public static partial class MetricFilter
{
    private const int MostConditions = 16;

    /// <exception cref="FormatException">The text is no filter; the message shows what one looks like.</exception>
    public static IReadOnlyList<MetricCondition> Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) return [];
        var parts = text.Split(',');
        if (parts.Length > MostConditions) throw new FormatException($"A filter may have {MostConditions} conditions; this one has {parts.Length}.");
        return [.. parts.Select(part =>
        {
            var match = Condition().Match(part);
            return match.Success && double.TryParse(match.Groups["value"].ValueSpan, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
                && double.IsFinite(value)
                ? new MetricCondition(match.Groups["metric"].Value.ToLowerInvariant(), match.Groups["comparison"].Value, value)
                : throw new FormatException($"'{part.Trim()}' is no condition on a metric. Write for example: recall@1>=0.9, map@r>0.5");
        })];
    }

    [GeneratedRegex(@"^\s*(?<metric>[A-Za-z0-9@_.\-]{1,64})\s*(?<comparison><=|>=|=|<|>)\s*(?<value>\S{1,32})\s*$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 200)]
    private static partial Regex Condition();
}
