using DmlPipeline.Cli.Dropping;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Evaluation;
using DmlPipeline.Ingestion;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Storage;

namespace DmlPipeline.Cli.Images;

/// <summary>Labelled images to work with: of a dataset version, or of a folder or archive that was never ingested.</summary>
internal sealed class ImageSource : IDisposable
{
    private readonly IDisposable owner;
    private readonly Func<int, byte[]> read;
    private readonly Func<int, string> name;

    private ImageSource(IDisposable owner, string title, IReadOnlyList<string> classOfImage, Func<int, string> name, Func<int, byte[]> read)
    {
        this.owner = owner;
        this.read = read;
        this.name = name;
        Title = title;
        ClassOfImage = classOfImage;
    }

    /// <summary>What people call it.</summary>
    public string Title { get; }

    public IReadOnlyList<string> ClassOfImage { get; }

    /// <summary>The rules by which these images want to be judged; null when each is a query among all the others.</summary>
    public QueryGallery? Protocol { get; private init; }

    public int Count => ClassOfImage.Count;

    /// <summary>Equal for equal images in the same order; null when that is not known without reading all of them.</summary>
    public string? ContentKey { get; private init; }

    /// <summary>Files that were not taken, with reasons.</summary>
    public IReadOnlyList<QuarantinedFile> Refused { get; private init; } = [];

    public string Name(int index) => name(index);

    /// <summary>The bytes of the image file. Thread-safe.</summary>
    public byte[] Read(int index) => read(index);

    /// <param name="homes">Where datasets are looked up.</param>
    /// <param name="nameOrPath">A dataset (<c>birds</c>, <c>birds@2</c>), or a folder or archive.</param>
    /// <param name="split">Of a dataset: train, validation, test or all. A path has splits when it holds a published dataset; else it is taken whole.</param>
    /// <param name="defaultSplit">The split when none is given.</param>
    /// <param name="live">For progress.</param>
    /// <param name="cancel">Stops the reading.</param>
    public static async Task<ImageSource> Open(HomeOrNone homes, string nameOrPath, string? split, string defaultSplit, LiveLine live, CancellationToken cancel)
    {
        if (!await IsPath(homes, nameOrPath, cancel)) return await OfDataset(homes.Required, nameOrPath, split ?? defaultSplit, cancel);
        live.Update($"reading    {nameOrPath}");
        var images = await ReadLocal(nameOrPath, cancel);
        live.Clear();
        try
        {
            return OfPath(images, nameOrPath, split, defaultSplit);
        }
        catch
        {
            images.Dispose();
            throw;
        }
    }

    private static async Task<LocalImages> ReadLocal(string path, CancellationToken cancel)
    {
        try
        {
            return await DropReader.ReadLocal(path, new IngestionOptions(), cancel);
        }
        catch (InvalidDataException e)
        {
            throw new CliException(e.Message, e);
        }
    }

    private static ImageSource OfPath(LocalImages images, string path, string? split, string defaultSplit)
    {
        if (images.Recognised is null && split is not null)
            throw new CliException($"'{path}' is a folder or archive and has no splits: leave --split out; all of its classes are taken.");
        var wanted = images.Recognised is null ? "all" : split ?? defaultSplit;
        int[] indexes = [.. Enumerable.Range(0, images.Count).Where(i => wanted == "all" || images.Split(i) == wanted)];
        if (indexes.Length == 0 && images.Count > 0) throw new CliException($"{path} has no {wanted} images: the official split of {images.Recognised} is train and test.");
        var title = images.Recognised is null ? path : $"{path} ({images.Recognised}), {Describe(wanted)}";
        return new ImageSource(images, title, [.. indexes.Select(i => images.ClassOfImage[i])], i => images.Name(indexes[i]), i => images.Read(indexes[i]))
        {
            Refused = images.Refused,
            Protocol = SampleProtocol.Of(indexes.Select(i => (images.Role(i), images.Camera(i)))),
        };
    }

    private static string Describe(string split) => split == "all" ? "all images" : split + " split";

    public void Dispose() => owner.Dispose();

    /// <summary>A dataset's name goes before a folder of the same name; a folder can always be written as ./name.</summary>
    private static async Task<bool> IsPath(HomeOrNone homes, string text, CancellationToken cancel)
    {
        var looksLikePath = text.Contains('/', StringComparison.Ordinal) || text.StartsWith('.') || DropPlan.IsArchive(text);
        var exists = Directory.Exists(text) || File.Exists(text);
        if (looksLikePath || homes.Opened is not { } home) return looksLikePath || exists;
        return exists && await Storage.State.DatasetRows.LatestDatasetVersion(home.Database, text, cancel) is null;
    }

    private static async Task<ImageSource> OfDataset(OpenedHome home, string text, string split, CancellationToken cancel)
    {
        var row = await DatasetReference.Find(home, text, cancel);
        var dataset = await DatasetReader.Open(home.Store, row.Dataset, row.Version, cancel);
        var indexes = split == "all" ? [.. Enumerable.Range(0, dataset.Samples.Count)] : dataset.IndexesOf(split);
        if (indexes.Length == 0) throw new CliException($"{row.Dataset} v{row.Version} has no {split} images.");
        return new ImageSource(
            dataset, $"{row.Dataset} v{row.Version}, {Describe(split)}", [.. indexes.Select(i => dataset.Samples[i].Class)],
            i => dataset.Samples[indexes[i]].Name, i => dataset.Read(indexes[i]))
        {
            Protocol = SampleProtocol.Of(indexes.Select(i => dataset.Samples[i])),
            ContentKey = $"{row.Manifest.ContentHash[..24]}-v{row.Version}-{split}",
        };
    }

    public static readonly string[] Splits = [SplitNames.Train, SplitNames.Validation, SplitNames.Test, "all"];
}
