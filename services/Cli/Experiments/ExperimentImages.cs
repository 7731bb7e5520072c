using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Learning.Data;
using DmlPipeline.Storage;

namespace DmlPipeline.Cli.Experiments;

/// <summary>A dataset's images in one shape at a time, decoded once and shared by all trainings of that shape.</summary>
internal sealed class ExperimentImages(DatasetReader dataset, LiveLine live) : IDisposable
{
    // 4 GiB of decoded images; larger datasets are decoded as they are asked for.
    private const long CacheBytes = 4L << 30;

    private readonly int[] trained = [.. dataset.IndexesOf(SplitNames.Train), .. dataset.IndexesOf(SplitNames.Validation)];
    private readonly int[] tested = dataset.IndexesOf(SplitNames.Test);
    private ImageSet? train;
    private ImageSet? test;

    public DatasetManifest Manifest => dataset.Manifest;

    /// <summary>Samples of the test split, in the order of <see cref="Test"/>.</summary>
    public IReadOnlyList<int> TestSamples => tested;

    /// <summary>Those training and validation images whose class is wanted.</summary>
    public ImageSet Of(ImageShape shape, Func<string, bool> wanted, CancellationToken cancel)
    {
        Load(shape, cancel);
        return train!.Subset([.. Enumerable.Range(0, trained.Length).Where(i => wanted(dataset.Samples[trained[i]].Class))]);
    }

    public ImageSet Test(ImageShape shape, CancellationToken cancel)
    {
        if (test?.Shape != shape)
        {
            test?.Dispose();
            test = Load(shape, tested, cancel);
        }
        return test;
    }

    public void Dispose()
    {
        train?.Dispose();
        test?.Dispose();
    }

    private void Load(ImageShape shape, CancellationToken cancel)
    {
        if (train?.Shape == shape) return;
        train?.Dispose();
        train = Load(shape, trained, cancel);
    }

    private ImageSet Load(ImageShape shape, int[] samples, CancellationToken cancel) => ImageSet.Load(
        shape, [.. samples.Select(i => dataset.Samples[i].Class)], i => dataset.Read(samples[i]), i => dataset.Samples[samples[i]].Name, CacheBytes, Environment.ProcessorCount,
        done => live.Update($"decoding   {Show.Bar((double)done / samples.Length)} {Show.Count(done)} of {Show.Count(samples.Length, "image")}"), cancel);
}
