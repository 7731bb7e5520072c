namespace DmlPipeline.Chaos.Checks;

/// <summary>A line of the table at the end.</summary>
/// <param name="What">What is counted.</param>
/// <param name="Expected">What it must be; null when that is up to chance and only told.</param>
/// <param name="Found">What it is.</param>
/// <param name="Details">What is wrong, item by item; empty when nothing is.</param>
internal sealed record Check(string What, long? Expected, long Found, IReadOnlyList<string> Details)
{
    public bool IsRight => Expected is null || Expected == Found && Details.Count == 0;

    /// <summary>What there should be none of.</summary>
    public static Check None(string what, IEnumerable<string> found)
    {
        var details = found.ToList();
        return new Check(what, Expected: 0, details.Count, details);
    }
}
