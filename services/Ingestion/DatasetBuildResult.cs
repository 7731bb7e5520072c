using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;

namespace DmlPipeline.Ingestion;

/// <summary>What became of a drop: a version or a reason, and in both cases the list of what was refused.</summary>
public abstract record DatasetBuildResult(IReadOnlyList<QuarantinedFile> Quarantined, ArtifactRef? Quarantine, DropCounts Counts)
{
    /// <summary>The version exists and will never change.</summary>
    public sealed record Built(
        DatasetManifest Manifest, ArtifactRef ManifestRef,
        IReadOnlyList<QuarantinedFile> Quarantined, ArtifactRef? Quarantine, DropCounts Counts)
        : DatasetBuildResult(Quarantined, Quarantine, Counts);

    /// <param name="Reason">Cause and remedy, in a sentence for the owner of the drop.</param>
    /// <param name="NeedsMore">
    /// True when nothing is wrong with the images but there are too few classes yet: what was dropped should stay where it is
    /// and be built together with the next drop.
    /// </param>
    public sealed record Rejected(
        string Reason, bool NeedsMore,
        IReadOnlyList<QuarantinedFile> Quarantined, ArtifactRef? Quarantine, DropCounts Counts)
        : DatasetBuildResult(Quarantined, Quarantine, Counts);
}

/// <param name="Files">Files looked at, members of archives included.</param>
/// <param name="Added">Images new to the dataset.</param>
/// <param name="Duplicates">Images that were there already, byte for byte, in the drop or in the parent version.</param>
/// <param name="Quarantined">Files refused.</param>
/// <param name="Ignored">Files that belong to no dataset, such as <c>.DS_Store</c> or <c>README.md</c>.</param>
public sealed record DropCounts(int Files, int Added, int Duplicates, int Quarantined, int Ignored);

/// <summary>One line of <c>reason.json</c>.</summary>
/// <param name="Name">As it was dropped, made safe to show.</param>
/// <param name="Reason">Why it was refused and what to do.</param>
/// <param name="Class">The class it would have had.</param>
/// <param name="Sha256">Of the file, where it was read.</param>
/// <param name="Bytes">Length, where it is known.</param>
/// <param name="Key">Object key of the kept copy, where one was kept.</param>
public sealed record QuarantinedFile(string Name, string Reason, string? Class, string? Sha256, long? Bytes, string? Key);

/// <summary>Another drop wrote this version meanwhile: build again as the next one.</summary>
public sealed class VersionTakenException(string dataset, int version, string byDrop)
    : Exception($"Version {version} of {dataset} was made meanwhile by the drop {byDrop}: build this drop again on top of it.");
