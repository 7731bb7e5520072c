namespace DmlPipeline.Learning.Weights;

/// <summary>Finds what stands before a network's own names in a file: "module." of data parallel training, "backbone." or "encoder." of larger models.</summary>
internal static class WeightNames
{
    /// <summary>The prefix under which most of the wanted names are found; the shortest of equally good ones, and "" when none are.</summary>
    public static string Prefix(IReadOnlyCollection<string> inFile, IReadOnlyCollection<string> wanted)
    {
        var found = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var name in inFile)
        {
            // Each name may end in a wanted one at any of its dots, and at its start.
            for (var start = 0; start >= 0 && start < name.Length; start = NextPart(name, start))
                if (wanted.Contains(name[start..])) found[name[..start]] = found.GetValueOrDefault(name[..start]) + 1;
        }
        return found.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key.Length).ThenBy(pair => pair.Key, StringComparer.Ordinal).FirstOrDefault().Key ?? "";
    }

    private static int NextPart(string name, int start) => name.IndexOf('.', start) is >= 0 and var dot ? dot + 1 : -1;
}
