using DmlPipeline.Learning.Data;

namespace DmlPipeline.Tests.Torch.Learning.Data;

internal static class Seen
{
    /// <summary>How often each image comes in an epoch of the sampler.</summary>
    public static int[] InEpoch(IBatchSampler sampler, int images, int epoch)
    {
        var counts = new int[images];
        for (var step = 0; step < sampler.StepsPerEpoch; step++)
            foreach (var image in sampler.Batch(((long)epoch * sampler.StepsPerEpoch) + step)) counts[image]++;
        return counts;
    }

    /// <summary>All batches of some epochs.</summary>
    public static int[][] Batches(IBatchSampler sampler, int epochs) =>
        [.. Enumerable.Range(0, epochs * sampler.StepsPerEpoch).Select(step => sampler.Batch(step))];
}
