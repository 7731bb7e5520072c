namespace DmlPipeline.Learning.Data;

/// <summary>Fills batches on one worker thread.</summary>
internal sealed class BatchFiller(ImageSet set, IBatchSampler sampler, Augmentation augmentation, long seed)
{
    private readonly Augmenter augmenter = new(set.Shape, augmentation);
    private readonly byte[] original = new byte[set.Shape.Bytes];

    public void Fill(Batch batch, long step)
    {
        var indexes = sampler.Batch(step);
        if (indexes.Length != batch.Count)
            throw new InvalidOperationException($"The sampler gave {indexes.Length} images for step {step}; its batches have {batch.Count}.");
        batch.Step = step;
        for (var i = 0; i < indexes.Length; i++)
        {
            var target = batch.Pixels.AsSpan(i * original.Length, original.Length);
            batch.Indexes[i] = indexes[i];
            batch.Labels[i] = set.Labels[indexes[i]];
            if (augmentation.IsOff)
            {
                set.CopyPixels(indexes[i], target);
                continue;
            }
            set.CopyPixels(indexes[i], original);
            augmenter.Apply(original, target, seed, step, i);
        }
    }
}
