using DmlPipeline.Learning.Data;

namespace DmlPipeline.Tests.Torch.Learning.Data;

public sealed class PkSamplerTests
{
    [Theory]
    [InlineData(4, 4, new[] { 20, 20, 20, 20, 20, 20, 20, 20, 20, 20 })]
    [InlineData(3, 2, new[] { 6, 6, 6, 6, 6, 6, 6 })]
    [InlineData(3, 4, new[] { 1, 2, 3, 5, 8, 13, 21, 34 })]
    [InlineData(8, 2, new[] { 500, 3, 3, 3, 3, 3, 3, 3, 3, 3 })]
    [InlineData(4, 4, new[] { 1000, 1 })]
    [InlineData(2, 5, new[] { 1, 1, 1 })]
    [InlineData(5, 4, new[] { 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 })]
    [InlineData(32, 4, new[] { 7, 9 })]
    [InlineData(2, 3, new[] { 900, 901, 2, 2, 2 })]
    public void Every_image_is_seen_in_every_epoch(int p, int k, int[] sizes)
    {
        var labels = PatternSet.Labels(sizes);
        for (var seed = 0; seed < 5; seed++)
        {
            var sampler = new PkSampler(labels, p, k, seed);
            for (var epoch = 0; epoch < 3; epoch++) Seen.InEpoch(sampler, labels.Length, epoch).Min().ShouldBeGreaterThanOrEqualTo(1, $"seed {seed}, epoch {epoch}");
        }
    }

    [Theory]
    [InlineData(4, 4, new[] { 20, 20, 20, 20, 20, 20 })]
    [InlineData(3, 4, new[] { 1, 2, 3, 5, 8, 13, 21, 34 })]
    [InlineData(8, 2, new[] { 500, 3, 3, 3, 3, 3, 3, 3, 3, 3 })]
    [InlineData(2, 5, new[] { 1, 1, 1 })]
    [InlineData(32, 4, new[] { 7, 9 })]
    public void A_batch_holds_P_different_classes_with_K_images_each(int p, int k, int[] sizes)
    {
        var labels = PatternSet.Labels(sizes);
        var sampler = new PkSampler(labels, p, k, seed: 1);
        var expected = Math.Min(p, sizes.Length);

        for (var step = 0L; step < 3 * sampler.StepsPerEpoch; step++)
        {
            var groups = sampler.Batch(step).Chunk(k).ToArray();

            groups.Length.ShouldBe(expected);
            groups.Select(g => labels[g[0]]).Distinct().Count().ShouldBe(expected, "no class comes twice");
            foreach (var group in groups)
            {
                var label = labels[group[0]];
                group.ShouldAllBe(i => labels[i] == label);
                group.Distinct().Count().ShouldBe(Math.Min(k, sizes[label]), "images repeat only in classes with fewer than K");
            }
        }
    }

    [Fact]
    public void Unequal_classes_are_seen_in_proportion_to_their_images()
    {
        var labels = PatternSet.Labels(4, 8, 8, 12, 12, 16, 20, 28);
        var sampler = new PkSampler(labels, 4, 4, seed: 7);
        const int epochs = 200;

        var seen = new double[labels.Length];
        for (var epoch = 0; epoch < epochs; epoch++)
            foreach (var (count, image) in Seen.InEpoch(sampler, labels.Length, epoch).Select((c, i) => (c, i))) seen[image] += count;

        var fair = (double)epochs * sampler.StepsPerEpoch * sampler.BatchSize / labels.Length;
        seen.ShouldAllBe(count => Math.Abs(count - fair) < 0.25 * fair);
    }

    [Fact]
    public void A_class_that_is_far_larger_than_the_others_makes_the_epoch_as_long_as_it_needs() =>
        new PkSampler(PatternSet.Labels(500, 3, 3, 3), 3, 2, 0).StepsPerEpoch.ShouldBe(250);

    [Fact]
    public void A_step_means_the_same_batch_in_any_order_and_after_a_restart()
    {
        var labels = PatternSet.Labels(9, 12, 7, 20, 16);
        var first = new PkSampler(labels, 3, 4, seed: 11);
        var steps = Enumerable.Range(0, 4 * first.StepsPerEpoch).Select(s => (long)s).ToArray();
        var batches = steps.Select(first.Batch).ToArray();

        var restarted = new PkSampler(labels, 3, 4, seed: 11);
        foreach (var step in steps.Reverse()) restarted.Batch(step).ShouldBe(batches[step]);
        new PkSampler(labels, 3, 4, seed: 11).Batch(17).ShouldBe(batches[17]);
    }

    [Fact]
    public void Seeds_and_epochs_give_different_batches()
    {
        var labels = PatternSet.Labels([.. Enumerable.Repeat(20, 30)]);
        var sampler = new PkSampler(labels, 8, 4, seed: 1);

        sampler.Batch(0).ShouldNotBe(new PkSampler(labels, 8, 4, seed: 2).Batch(0));
        sampler.Batch(0).ShouldNotBe(sampler.Batch(sampler.StepsPerEpoch));
    }

    [Fact]
    public void Classes_meet_different_classes_within_an_epoch()
    {
        var labels = PatternSet.Labels([.. Enumerable.Repeat(20, 100)]);
        var sampler = new PkSampler(labels, 10, 4, seed: 5);
        var met = new HashSet<int>[100];
        for (var c = 0; c < met.Length; c++) met[c] = [];

        for (var step = 0; step < sampler.StepsPerEpoch; step++)
        {
            var classes = sampler.Batch(step).Select(i => labels[i]).Distinct().ToArray();
            foreach (var a in classes)
                foreach (var b in classes) met[a].Add(b);
        }

        // Five batches with nine others each: 45 meetings, of which chance repeats a few.
        met.Average(m => m.Count).ShouldBeGreaterThan(30);
    }

    [Fact]
    public void Steps_per_epoch_is_images_over_batch_size_rounded_up()
    {
        new PkSampler(PatternSet.Labels([.. Enumerable.Repeat(20, 10)]), 4, 4, 0).StepsPerEpoch.ShouldBe(13);
        new PkSampler(PatternSet.Labels(1), 4, 4, 0).StepsPerEpoch.ShouldBe(1);
    }

    [Fact]
    public void An_empty_set_is_refused() => Should.Throw<ArgumentException>(() => new PkSampler([], 4, 4, 0)).Message.ShouldContain("no images");
}
