using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Storage;

namespace DmlPipeline.Training;

/// <summary>Which training images an earlier version of a dataset had: a training that replays draws from both sides.</summary>
public static class OldImages
{
    /// <param name="store">Where the dataset lies.</param>
    /// <param name="dataset">The version that is trained on.</param>
    /// <param name="version">The earlier one.</param>
    /// <param name="cancel">Ends it.</param>
    /// <returns>One for each training image, in their order.</returns>
    public static async Task<bool[]> Of(IArtifactStore store, DatasetReader dataset, int version, CancellationToken cancel)
    {
        using var before = await DatasetReader.Open(store, dataset.Manifest.Dataset, version, cancel);
        var known = before.Samples.Select(sample => sample.Sha256).ToHashSet(StringComparer.Ordinal);
        return [.. dataset.IndexesOf(SplitNames.Train).Select(i => known.Contains(dataset.Samples[i].Sha256))];
    }
}
