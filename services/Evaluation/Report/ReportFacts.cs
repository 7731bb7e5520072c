using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Evaluation.Report;

/// <summary>Everything that a report page shows.</summary>
public sealed record ReportFacts
{
    /// <summary>Say, "omniglot v3".</summary>
    public required string Model { get; init; }

    /// <summary>Say, "omniglot, dataset version 2".</summary>
    public required string Dataset { get; init; }

    public required EvaluationReport Evaluation { get; init; }

    public DateTimeOffset? Created { get; init; }

    /// <summary>Facts of the run by name, such as recipe, seed, backbone and training time, in the order they are shown.</summary>
    public IReadOnlyList<(string Name, string Value)> Details { get; init; } = [];

    /// <summary>How training went; empty leaves the curves out.</summary>
    public IReadOnlyList<EpochPoint> Epochs { get; init; } = [];

    /// <summary>Queries with their neighbours, under headings.</summary>
    public IReadOnlyList<GalleryPart> Gallery { get; init; } = [];
}

/// <summary>One epoch: its mean loss, and recall@1 and MAP@R on the validation classes where they were measured.</summary>
public sealed record EpochPoint(int Epoch, double Loss, double? ValidationRecallAt1, double? ValidationMapAtR)
{
    /// <summary>Share of the loss's terms that still teach, 0..1; null where it was not measured.</summary>
    public double? ActiveFraction { get; init; }

    /// <summary>Mean cosine of images of one class within batches; null where it was not measured.</summary>
    public double? PositiveSimilarity { get; init; }

    /// <summary>Mean cosine of images of different classes within batches; null where it was not measured.</summary>
    public double? NegativeSimilarity { get; init; }
}

/// <summary>An image as the page embeds it: image/png, image/jpeg or image/webp.</summary>
public sealed record Thumbnail(string Mime, byte[] Bytes);

/// <summary>An image with its class or other name.</summary>
public sealed record GalleryImage(string Caption, Thumbnail Thumbnail);

/// <summary>A found image. Correct is null where nobody knows the right answer, as when searching with a new image.</summary>
public sealed record GalleryMatch(GalleryImage Image, float Similarity, bool? Correct);

/// <summary>A query and what was found, the nearest first.</summary>
public sealed record GalleryEntry(GalleryImage Query, IReadOnlyList<GalleryMatch> Matches)
{
    /// <summary>From indexes to images; <paramref name="thumbnail"/> is asked for each image that is shown.</summary>
    public static GalleryEntry From(GalleryRow row, Func<int, string> className, Func<int, Thumbnail> thumbnail)
    {
        return new GalleryEntry(Image(row.Query), [.. row.Neighbours.Select((image, i) =>
            new GalleryMatch(Image(image), row.Similarity[i], className(image) == className(row.Query)))]);

        GalleryImage Image(int index) => new(className(index), thumbnail(index));
    }
}

/// <summary>A heading, a sentence on what it holds, and the queries, which may be made while they are written.</summary>
public sealed record GalleryPart(string Title, string Explanation, IEnumerable<GalleryEntry> Entries);
