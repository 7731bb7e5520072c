using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Storage;

namespace DmlPipeline.Ingestion;

/// <summary>The version that a new one grows from: which images it has, under which classes. The rest of what it lists is read again when it is written again.</summary>
internal sealed class ParentVersion
{
    private readonly Texts classes;
    private readonly ScratchStatement classOf;

    private ParentVersion(DatasetManifest manifest, ScratchDatabase scratch, Texts classes)
    {
        Manifest = manifest;
        this.classes = classes;
        classOf = scratch.Prepare("select class from known where digest = $1");
    }

    public DatasetManifest Manifest { get; }

    /// <summary>Lists its images in the table <c>known</c>, which is there without a parent too.</summary>
    public static async Task<ParentVersion?> Open(IArtifactStore store, DatasetManifest? manifest, ScratchDatabase scratch, Texts classes, CancellationToken cancel)
    {
        scratch.Execute("create table known (digest blob primary key, class integer not null) without rowid");
        if (manifest is null) return null;
        var insert = scratch.Prepare("insert into known values ($1, $2)");
        await foreach (var sample in DatasetReader.ReadSamples(store, manifest, cancel)) insert.Run(Digest.Parse(sample.Sha256).ToBytes(), classes.NumberOf(sample.Class));
        return new ParentVersion(manifest, scratch, classes);
    }

    /// <summary>Thread-safe.</summary>
    /// <returns>Null when the version does not have the image.</returns>
    public string? ClassOf(Digest image) => classOf.Value(image.ToBytes()) is long number ? classes[(int)number] : null;
}
