using System.Globalization;
using DmlPipeline.Ingestion.Reading;

namespace DmlPipeline.Ingestion.Layouts;

/// <summary>Images that annotations list by path. Where the images lie does not matter: beside the annotations, in another archive, in folders around them.</summary>
internal sealed class ImageList(DropScan scan, TextFile source)
{
    private readonly Dictionary<string, LayoutEntry> entries = new(StringComparer.Ordinal);

    private readonly SortedSet<string> contradictions = new(StringComparer.Ordinal);

    public List<Refusal> Problems { get; } = [];

    public void Add(string path, LayoutEntry entry)
    {
        if (EntryPath.Parse(path, out var clean) is null && !entries.TryAdd(clean, entry) && entries[clean] != entry) contradictions.Add(clean);
    }

    /// <returns>Null when none of the listed images was dropped.</returns>
    public LayoutReading? Match()
    {
        // Nobody here can tell which line is right.
        foreach (var path in contradictions) entries.Remove(path);
        var reading = new LayoutReading();
        var lookup = entries.GetAlternateLookup<ReadOnlySpan<char>>();
        var found = new HashSet<LayoutEntry>(ReferenceEqualityComparer.Instance);
        foreach (var (order, listed) in scan.Images.Paths())
        {
            for (ReadOnlySpan<char> path = listed; ; )
            {
                if (lookup.TryGetValue(path, out var entry))
                {
                    reading.Entries[order] = entry;
                    found.Add(entry);
                    break;
                }
                var slash = path.IndexOf('/');
                if (slash < 0) break;
                path = path[(slash + 1)..];
            }
        }
        if (found.Count == 0) return null;
        reading.Problems.AddRange(Problems);
        var missing = entries.Where(listed => !found.Contains(listed.Value)).ToList();
        if (missing.Count > 0) Report(missing.Count, "images that were not dropped", missing[0].Key);
        if (contradictions.Count > 0) Report(contradictions.Count, "images under two classes or roles", contradictions.Min!);
        return reading;

        void Report(int count, string what, string first) => reading.Problems.Add(new Refusal(
            source.Order, scan.NameOf(source.Scope, source.Path), $"it lists {count.ToString("N0", CultureInfo.InvariantCulture)} {what}, first '{EntryPath.Display(first)}'"));
    }
}
