using DmlPipeline.Learning.Data;

namespace DmlPipeline.Tests.Torch.Learning.Data;

public sealed class BatchPipelineTests
{
    private static readonly ImageShape Shape = new(1, 9, 9);
    private static readonly Augmentation Shaken = new() { Rotate = 10, Translate = 0.1, Contrast = 0.2 };

    [Fact]
    public void Batches_come_in_order_with_the_same_content_for_any_number_of_threads()
    {
        using var set = PatternSet.Random(Shape, 8, 8, 8, 8);
        var sampler = new PkSampler(set.Labels, 2, 4, seed: 1);

        var alone = Collect(new BatchPipeline(set, sampler, Shaken, seed: 5, firstStep: 0, threads: 1, ahead: 1), 40);
        var crowded = Collect(new BatchPipeline(set, sampler, Shaken, seed: 5, firstStep: 0, threads: 4, ahead: 7), 40);

        crowded.Select(b => b.Step).ShouldBe(Enumerable.Range(0, 40).Select(s => (long)s));
        for (var step = 0; step < 40; step++)
        {
            crowded[step].Pixels.ShouldBe(alone[step].Pixels);
            crowded[step].Labels.ShouldBe(alone[step].Labels);
        }
    }

    [Fact]
    public void A_resumed_pipeline_continues_with_the_same_batches()
    {
        using var set = PatternSet.Random(Shape, 8, 8, 8, 8);
        var sampler = new ShuffleSampler(set.Count, 6, seed: 1);

        var whole = Collect(new BatchPipeline(set, sampler, Shaken, seed: 5, firstStep: 0, threads: 2, ahead: 4), 30);
        var resumed = Collect(new BatchPipeline(set, sampler, Shaken, seed: 5, firstStep: 17, threads: 2, ahead: 4), 13);

        resumed.Select(b => b.Pixels).ShouldBe(whole.Skip(17).Select(b => b.Pixels));
    }

    [Fact]
    public void Labels_and_pixels_belong_to_the_sampled_images()
    {
        using var set = PatternSet.Random(Shape, 3, 5, 4);
        using var pipeline = new BatchPipeline(set, new PkSampler(set.Labels, 3, 3, 1), Augmentation.None, seed: 5, firstStep: 0, threads: 2, ahead: 2);
        var pixels = new byte[Shape.Bytes];

        var batch = pipeline.Next(CancellationToken.None);

        batch.Count.ShouldBe(9);
        for (var i = 0; i < batch.Count; i++)
        {
            set.CopyPixels(batch.Indexes[i], pixels);
            batch.Pixels.AsSpan(i * Shape.Bytes, Shape.Bytes).ToArray().ShouldBe(pixels);
            batch.Labels[i].ShouldBe(set.Labels[batch.Indexes[i]]);
        }
    }

    [Fact]
    public void A_failing_read_reaches_the_trainer_at_its_step_and_again_when_it_asks_again()
    {
        using var set = ImageSet.Load(Shape, ["a", "a", "b", "b"], _ => throw new InvalidDataException("shard 3 is gone"), cacheBytes: 0, threads: 1, decoded: null, CancellationToken.None);
        using var pipeline = new BatchPipeline(set, new PkSampler(set.Labels, 2, 2, 1), Augmentation.None, seed: 5, firstStep: 0, threads: 2, ahead: 3);

        Should.Throw<InvalidDataException>(() => pipeline.Next(CancellationToken.None)).Message.ShouldBe("shard 3 is gone");
        Should.Throw<InvalidDataException>(() => pipeline.Next(CancellationToken.None));
    }

    [Fact]
    public async Task Stopping_ends_a_waiting_trainer_and_all_workers()
    {
        using var release = new ManualResetEventSlim();
        using var set = ImageSet.Load(Shape, ["a", "b"], Blocked, cacheBytes: 0, threads: 1, decoded: null, CancellationToken.None);
        using var pipeline = new BatchPipeline(set, new PkSampler(set.Labels, 2, 1, 1), Augmentation.None, seed: 5, firstStep: 0, threads: 2, ahead: 3);
        using var cancel = new CancellationTokenSource();
        var waiting = Task.Run(() => pipeline.Next(cancel.Token));

        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(waiting.WaitAsync(TimeSpan.FromSeconds(30)));
        release.Set();
        await Task.Run(pipeline.Dispose).WaitAsync(TimeSpan.FromSeconds(30));
        Should.Throw<ObjectDisposedException>(() => pipeline.Next(CancellationToken.None));

        byte[] Blocked(int index)
        {
            release.Wait();
            throw new InvalidDataException("too late");
        }
    }

    [Fact]
    public void Workers_stay_within_the_ring_and_reuse_returned_memory()
    {
        using var set = PatternSet.Random(Shape, 8, 8);
        using var pipeline = new BatchPipeline(set, new PkSampler(set.Labels, 2, 4, 1), Augmentation.None, seed: 5, firstStep: 0, threads: 2, ahead: 3);
        var buffers = new HashSet<byte[]>(ReferenceEqualityComparer.Instance);

        for (var step = 0; step < 200; step++)
        {
            var batch = pipeline.Next(CancellationToken.None);
            buffers.Add(batch.Pixels);
            pipeline.Return(batch);
        }

        // Three in the ring, one with the trainer, one claimed by each of two workers.
        buffers.Count.ShouldBeLessThanOrEqualTo(6);
        pipeline.Waited.ShouldBeGreaterThanOrEqualTo(TimeSpan.Zero);
    }

    private static List<Batch> Collect(BatchPipeline pipeline, int steps)
    {
        using (pipeline) return [.. Enumerable.Range(0, steps).Select(_ => pipeline.Next(CancellationToken.None))];
    }
}
