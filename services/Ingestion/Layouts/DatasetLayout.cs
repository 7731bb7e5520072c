using DmlPipeline.Ingestion.Reading;
using DmlPipeline.Ingestion.Splits;

namespace DmlPipeline.Ingestion.Layouts;

/// <summary>A published dataset whose files are recognised, so that it is divided and judged as its papers do.</summary>
/// <param name="Key">Its name in dataset.yaml and in the manifest.</param>
/// <param name="Title">Its name for people.</param>
/// <param name="Split">The official split in words.</param>
/// <param name="Needs">What has to be dropped for it to be recognised.</param>
/// <param name="Annotations">Names of the files that describe it, which are not images.</param>
/// <param name="Units"><see cref="SplitUnits.ByClass"/> or <see cref="SplitUnits.ByFirstFolder"/>: what the official split divides.</param>
/// <param name="Read">Null when the drop does not hold it.</param>
internal sealed record DatasetLayout(
    string Key, string Title, string Split, string Needs, IReadOnlyList<string> Annotations, string Units, Func<DropScan, LayoutReading?> Read)
{
    public string Recognised => $"recognised as {Title}";

    public SplitUnits OfficialUnits => new(Units, $"{Recognised}: official split ({Split})");
}

/// <summary>A file has the name of a published dataset's annotations and cannot be read.</summary>
internal sealed class AnnotationException(TextFile file, string reason) : Exception(reason)
{
    public TextFile File => file;
}

/// <summary>What a layout says of one image.</summary>
/// <param name="Split"><c>train</c> or <c>test</c>: papers know no validation.</param>
/// <param name="Role">One of <see cref="Contracts.Datasets.RoleNames"/>, or null for both.</param>
internal sealed record LayoutEntry(string Class, string Split, string? Role = null, int? Camera = null);

/// <summary>What a layout says of the images of a drop, by <see cref="ScannedFile.Order"/>.</summary>
internal sealed class LayoutReading
{
    public Dictionary<int, LayoutEntry> Entries { get; } = [];

    /// <summary>Images that come with the dataset and are no part of it, such as Market-1501's junk.</summary>
    public HashSet<int> LeftOut { get; } = [];

    /// <summary>Lines that cannot be read, and images that are listed but were not dropped.</summary>
    public List<Refusal> Problems { get; } = [];
}
