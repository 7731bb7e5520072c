using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion.Writing;
using DmlPipeline.Storage;

namespace DmlPipeline.Ingestion;

/// <summary>The version that a new one grows from: which images it has, under which classes.</summary>
internal sealed class ParentVersion
{
    private readonly Texts classes;
    private readonly ScratchStatement classOf;

    private ParentVersion(DatasetManifest manifest, ScratchDatabase scratch, Texts classes)
    {
        Manifest = manifest;
        this.classes = classes;
        classOf = scratch.Prepare("select class from samples where digest = $1");
    }

    public DatasetManifest Manifest { get; }

    /// <param name="samples">Receives its images.</param>
    public static async Task<ParentVersion?> Open(IArtifactStore store, DatasetManifest? manifest, ScratchDatabase scratch, SampleTable samples, Texts classes, CancellationToken cancel)
    {
        if (manifest is null) return null;
        await foreach (var sample in DatasetReader.ReadSamples(store, manifest, cancel)) samples.Add(sample);
        scratch.Execute("create unique index known on samples (digest)");
        return new ParentVersion(manifest, scratch, classes);
    }

    /// <summary>Thread-safe.</summary>
    /// <returns>Null when the version does not have the image.</returns>
    public string? ClassOf(Digest image) => classOf.Value(image.ToBytes()) is long number ? classes[(int)number] : null;
}
