namespace DmlPipeline.Contracts.Datasets;

/// <summary>
/// <c>datasets/&lt;name&gt;/v&lt;N&gt;/manifest.json</c>: everything about a dataset version but its images, which lie in WebDataset
/// tar shards. Written last; a version without a manifest does not exist.
/// </summary>
public sealed record DatasetManifest
{
    public const string CurrentSchema = "dmlpipeline.dataset/1";

    public string Schema { get; init; } = CurrentSchema;
    public required string Dataset { get; init; }
    public required int Version { get; init; }

    /// <summary>The version that this one grew from.</summary>
    public int? Parent { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The drop that made this version.</summary>
    public required string DropId { get; init; }

    /// <summary>SHA-256 over the ordered lines "class, tab, image SHA-256", with tab, role, tab, camera where a sample has them: equal content, equal hash.</summary>
    public required string ContentHash { get; init; }

    public required DatasetSplit Split { get; init; }

    /// <summary>The published dataset whose files were recognised, such as <c>cub200</c>; null for class folders and label files.</summary>
    public string? Layout { get; init; }

    public required IReadOnlyList<DatasetClass> Classes { get; init; }
    public required DatasetCounts Counts { get; init; }
    public required DatasetFacts Facts { get; init; }

    /// <summary>The list of samples: JSON lines, one <see cref="DatasetSample"/> each.</summary>
    public required ArtifactRef Samples { get; init; }

    /// <summary>Tar shards in index order; those of parent versions come first and are shared, not copied.</summary>
    public required IReadOnlyList<DatasetShard> Shards { get; init; }

    /// <summary>Pairs of near-duplicate images, when any were found.</summary>
    public ArtifactRef? NearDuplicates { get; init; }

    /// <summary>What was refused, with reasons, when anything was.</summary>
    public ArtifactRef? Quarantine { get; init; }

    /// <summary>Recipe that the dataset's owner asked for (a name or inline JSON), or null for the default.</summary>
    public string? Recipe { get; init; }
}

/// <summary>How classes were divided. A class, or a whole unit of classes, lies in exactly one split and never moves.</summary>
/// <param name="By"><c>class</c> or <c>first-folder</c> (all classes of a first-level folder stay together).</param>
/// <param name="Reason">Why this unit was chosen.</param>
/// <param name="Validation">Share of units meant for validation.</param>
/// <param name="Test">Share of units meant for the test.</param>
public sealed record DatasetSplit(string By, string Reason, double Validation, double Test);

/// <param name="Name">Relative folder path, for example <c>Korean/character07</c>.</param>
/// <param name="Unit">Split unit: the class itself or its first folder.</param>
/// <param name="Split"><c>train</c>, <c>validation</c> or <c>test</c>.</param>
/// <param name="Images">Number of images.</param>
public sealed record DatasetClass(string Name, string Unit, string Split, int Images);

/// <param name="Images">Images in this version.</param>
/// <param name="Added">Images that the parent version did not have.</param>
/// <param name="Duplicates">Dropped images that were already there, byte for byte.</param>
/// <param name="NearDuplicates">Pairs of images that look alike.</param>
/// <param name="Quarantined">Dropped files that were refused.</param>
public sealed record DatasetCounts(int Images, int Added, int Duplicates, int NearDuplicates, int Quarantined);

/// <summary>What the default recipe is chosen by.</summary>
/// <param name="GreyShare">Share of images without colour, 0 to 1.</param>
/// <param name="MedianWidth">Median width in pixels.</param>
/// <param name="MedianHeight">Median height in pixels.</param>
/// <param name="DarkOnLight">True when the typical border pixel is lighter than the typical centre (ink on paper).</param>
public sealed record DatasetFacts(double GreyShare, int MedianWidth, int MedianHeight, bool DarkOnLight);

/// <param name="Key">Object key of the tar file.</param>
/// <param name="Sha256">Of the tar file.</param>
/// <param name="Bytes">Length of the tar file.</param>
/// <param name="Images">Images inside.</param>
public sealed record DatasetShard(string Key, string Sha256, long Bytes, int Images);

/// <summary>One image: where its bytes lie and what they are.</summary>
/// <param name="Sha256">Of the image file.</param>
/// <param name="Class">Class name.</param>
/// <param name="Name">Path as it was dropped, for people.</param>
/// <param name="Shard">Index into <see cref="DatasetManifest.Shards"/>.</param>
/// <param name="Offset">Byte offset of the image file inside the shard.</param>
/// <param name="Bytes">Length of the image file.</param>
/// <param name="Width">Pixels, after EXIF orientation.</param>
/// <param name="Height">Pixels, after EXIF orientation.</param>
/// <param name="Format"><c>jpeg</c>, <c>png</c> or <c>webp</c>.</param>
/// <param name="PerceptualHash">64-bit difference hash, hexadecimal.</param>
/// <param name="Role">What it does when a model is judged: <see cref="RoleNames.Query"/>, <see cref="RoleNames.Gallery"/>, or null for both.</param>
/// <param name="Camera">The camera that took it, where the dataset's protocol asks; a query does not see its class from its own camera.</param>
public sealed record DatasetSample(
    string Sha256, string Class, string Name, int Shard, long Offset, long Bytes, int Width, int Height, string Format, string PerceptualHash,
    string? Role = null, int? Camera = null);
