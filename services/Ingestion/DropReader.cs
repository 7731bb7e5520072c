using DmlPipeline.Ingestion.Labels;
using DmlPipeline.Ingestion.Reading;
using DmlPipeline.Storage;

namespace DmlPipeline.Ingestion;

/// <summary>The sound, labelled images of a local folder or archive. Their bytes wait in a temporary file that is gone when this is disposed.</summary>
public sealed class LocalImages : IDisposable
{
    private readonly Spool spool;
    private readonly IReadOnlyList<LabelledImage> images;

    internal LocalImages(Spool spool, IReadOnlyList<LabelledImage> images, IReadOnlyList<QuarantinedFile> refused)
    {
        this.spool = spool;
        this.images = images;
        Refused = refused;
        ClassOfImage = [.. images.Select(i => i.Class)];
    }

    /// <summary>Of which published dataset the images are, for people; null when they are of none that is recognised.</summary>
    public string? Recognised { get; internal init; }

    public int Count => images.Count;

    /// <summary>Class of each image.</summary>
    public IReadOnlyList<string> ClassOfImage { get; }

    /// <summary>What was not taken, with reasons.</summary>
    public IReadOnlyList<QuarantinedFile> Refused { get; }

    /// <summary><c>train</c> or <c>test</c> where a label file or a recognised dataset says so, else null.</summary>
    public string? Split(int index) => images[index].Split;

    /// <summary>One of <see cref="Contracts.Datasets.RoleNames"/>, or null for both.</summary>
    public string? Role(int index) => images[index].Role;

    /// <summary>Null where cameras do not matter.</summary>
    public int? Camera(int index) => images[index].Camera;

    /// <summary>Path of the image, for people.</summary>
    public string Name(int index) => images[index].Name;

    /// <summary>The image file's bytes. Thread-safe.</summary>
    public byte[] Read(int index) => spool.Read(images[index].Content.SpoolOffset, images[index].Content.Bytes);

    public void Dispose() => spool.Dispose();
}

/// <summary>Reads images from a local path with the same forms, checks and defences as a drop, without making a version.</summary>
public static class DropReader
{
    /// <param name="path">A folder of class folders (or with a label file), or one archive.</param>
    /// <param name="options">Limits.</param>
    /// <param name="cancel">Stops the reading.</param>
    /// <exception cref="FileNotFoundException">Nothing has that path.</exception>
    /// <exception cref="InvalidDataException">Its dataset.yaml is wrong; the message says how.</exception>
    public static async Task<LocalImages> ReadLocal(string path, IngestionOptions options, CancellationToken cancel)
    {
        var full = Path.GetFullPath(path);
        if (!Directory.Exists(full) && !File.Exists(full))
            throw new FileNotFoundException($"There is no folder or archive '{path}'.", path);
        var store = new FolderStore(Directory.Exists(full) ? full : Path.GetDirectoryName(full)!);
        var listed = Directory.Exists(full) ? store.List("", cancel) : new[] { (await store.Find(Path.GetFileName(full), cancel))! }.ToAsyncEnumerable();
        var spool = new Spool(options.TemporaryFolder);
        try
        {
            using var scratch = new ScratchDatabase(options.TemporaryFolder);
            var reading = await DropReading.Of(store, listed, prefix: "", parent: null, scratch, spool, options, progress: null, cancel);
            if (reading.Rejected is { } rejected) throw new InvalidDataException($"{path}: {rejected.Message}", rejected);
            var refused = reading.Refusals.InOrder().Select(r => new QuarantinedFile(r.Name, r.Reason, r.Class, r.Content?.Digest.ToString(), r.Content?.Bytes ?? r.Bytes, null));
            return new LocalImages(spool, [.. reading.Selection.InOrder], [.. refused]) { Recognised = reading.Layout is { IsOfficial: true } layout ? layout.Layout.Title : null };
        }
        catch
        {
            spool.Dispose();
            throw;
        }
    }
}
