using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Storage;

namespace DmlPipeline.Ingestion;

/// <summary>The version that a new one grows from: which images it has, under which classes. The rest of what it lists is read again when it is written again.</summary>
internal sealed class ParentVersion
{
    private readonly Dictionary<Digest, string> classOf;

    private ParentVersion(DatasetManifest manifest, Dictionary<Digest, string> classOf)
    {
        Manifest = manifest;
        this.classOf = classOf;
    }

    public DatasetManifest Manifest { get; }

    public static async Task<ParentVersion?> Open(IArtifactStore store, DatasetManifest? manifest, CancellationToken cancel)
    {
        if (manifest is null) return null;
        var classes = new Dictionary<Digest, string>(manifest.Counts.Images);
        await foreach (var sample in DatasetReader.ReadSamples(store, manifest, cancel)) classes.Add(Digest.Parse(sample.Sha256), sample.Class);
        return new ParentVersion(manifest, classes);
    }

    /// <returns>Null when the version does not have the image.</returns>
    public string? ClassOf(Digest image) => classOf.GetValueOrDefault(image);
}
