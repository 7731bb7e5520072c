namespace DmlPipeline.Ingestion.Reading;

/// <summary>What is known of a file's content.</summary>
internal sealed class FileContent
{
    public required Digest Digest { get; init; }
    public required long Bytes { get; init; }

    /// <summary>Null for a refused file, and for one that the parent version already holds.</summary>
    public ImageFacts? Facts { get; init; }

    public string? Refusal { get; init; }

    /// <summary>Where the bytes lie in the spool; -1 when they were not kept.</summary>
    public long SpoolOffset { get; init; } = -1;
}

/// <param name="Order">Position in the drop: objects by key, members of archives in their order. Everything that must be repeatable sorts by it.</param>
/// <param name="Scope">Index into <see cref="DropScan.Scopes"/>.</param>
/// <param name="Path">Normalised path inside the scope.</param>
/// <param name="Archive">Name of the archive that it lies in; null for one of the drop's own objects.</param>
internal sealed record ScannedFile(int Order, int Scope, string Path, FileContent Content, string? Archive)
{
    /// <summary>For people.</summary>
    public string Name => EntryPath.Display(Archive is null ? Path : $"{Archive}/{Path}");
}

/// <summary>A label file, annotations or settings, kept as it is until everything has been read.</summary>
internal sealed record TextFile(int Order, int Scope, string Path, byte[] Bytes);

/// <summary>Something that was refused, on its way to <c>reason.json</c>.</summary>
/// <param name="Sound">A readable image that is kept out for its label's sake: its bytes are always kept.</param>
internal sealed record Refusal(int Order, string Name, string Reason, FileContent? Content = null, string? Class = null, bool Sound = false, long? Bytes = null);

/// <summary>Everything that a drop holds, read once and checked, before any label is decided.</summary>
/// <param name="Images">Every file that was offered as an image, the broken ones included.</param>
/// <param name="Annotations">Files that have the name of a published dataset's annotations; not counted as ignored.</param>
/// <param name="Scopes">Scope 0, the drop's own objects, is named ""; then one scope for each archive, named after it.</param>
internal sealed record DropScan(
    IReadOnlyList<string> Scopes, FileTable Images, IReadOnlyList<TextFile> LabelFiles, IReadOnlyList<TextFile> Annotations,
    IReadOnlyList<TextFile> Settings, int Files, int Ignored)
{
    public string NameOf(int scope, string path) => EntryPath.Display(scope == 0 ? path : $"{Scopes[scope]}/{path}");
}
