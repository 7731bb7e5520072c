namespace DmlPipeline.Learning.Data;

/// <summary>Fills batches on one worker thread, with the pixels of the given places or of all.</summary>
internal sealed class BatchFiller(ImageSet set, IBatchSampler sampler, Augmentation augmentation, long seed, int[]? rows)
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
            batch.Indexes[i] = indexes[i];
            batch.Labels[i] = set.Labels[indexes[i]];
        }
        for (var own = 0; own < batch.Own; own++)
        {
            var target = batch.Pixels.AsSpan(own * original.Length, original.Length);
            // The place in the whole batch: what augmentation draws does not depend on who fills it.
            var i = rows is null ? own : rows[own];
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
