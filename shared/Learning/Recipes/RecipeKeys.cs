using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;

namespace DmlPipeline.Learning.Recipes;

/// <summary>The schema of recipe files: the records' own properties, in snake_case; values of enums in kebab-case.</summary>
internal static class RecipeKeys
{
    public static IReadOnlyList<PropertyInfo> Of(Type record) =>
        [.. record.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.SetMethod is not null)];

    public static string Name(PropertyInfo property) => JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);

    public static string Name(object enumValue) => JsonNamingPolicy.KebabCaseLower.ConvertName(enumValue.ToString()!);

    public static IReadOnlyList<string> NamesOf(Type enumType) => [.. Enum.GetValues(enumType).Cast<object>().Select(Name)];

    public static RangeAttribute? Range(PropertyInfo property) => property.GetCustomAttribute<RangeAttribute>();

    public static bool IsRecord(Type type) => type.IsClass && type != typeof(string) && !type.IsArray;

    /// <summary>The candidate closest to what was written, when it is close enough to be a slip.</summary>
    public static string? Nearest(string written, IEnumerable<string> candidates)
    {
        var best = candidates.Select(candidate => (candidate, distance: Distance(written.ToLowerInvariant(), candidate))).MinBy(pair => pair.distance);
        return best.candidate is not null && best.distance <= Math.Max(2, best.candidate.Length / 3) ? best.candidate : null;
    }

    // Levenshtein's edit distance, one row at a time.
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.Length];
    }
}
