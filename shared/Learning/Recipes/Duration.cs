using System.Globalization;
using System.Text.RegularExpressions;

namespace DmlPipeline.Learning.Recipes;

/// <summary>Times as people write them: 90s, 10m, 1h30m, 30d.</summary>
public static partial class Duration
{
    [GeneratedRegex(@"^(?:(?<d>\d{1,5}(?:\.\d+)?)d)?(?:(?<h>\d{1,5}(?:\.\d+)?)h)?(?:(?<m>\d{1,6}(?:\.\d+)?)m)?(?:(?<s>\d{1,8}(?:\.\d+)?)s)?$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Pattern();

    /// <summary>Reads days, hours, minutes and seconds in that order, each optional; false for anything else.</summary>
    public static bool TryParse(string text, out TimeSpan value)
    {
        value = default;
        var match = Pattern().Match(text.Trim());
        if (!match.Success || match.Length == 0) return false;
        value = TimeSpan.FromSeconds((24 * 3600 * Part(match.Groups["d"])) + (3600 * Part(match.Groups["h"])) + (60 * Part(match.Groups["m"])) + Part(match.Groups["s"]));
        return true;
    }

    /// <summary>Seconds: the one form that every duration has.</summary>
    public static string ToText(TimeSpan value) => value.TotalSeconds.ToString("R", CultureInfo.InvariantCulture) + "s";

    private static double Part(Group group) => group.Success ? double.Parse(group.ValueSpan, NumberStyles.Float, CultureInfo.InvariantCulture) : 0;
}
