using DmlPipeline.Learning.Data;

namespace DmlPipeline.Tests.Torch.Learning.Data;

public sealed class OtherSamplerTests
{
    [Fact]
    public void Class_balanced_batches_hold_small_classes_as_often_as_large_ones()
    {
        var labels = PatternSet.Labels(1000, 10, 100, 1);
        var sampler = new ClassBalancedSampler(labels, 64, seed: 2);

        var drawn = Seen.Batches(sampler, 20).SelectMany(batch => batch).ToList();

        sampler.StepsPerEpoch.ShouldBe(18);
        // 23,040 draws: a quarter each, with a standard deviation of 66.
        foreach (var label in Enumerable.Range(0, 4)) drawn.Count(image => labels[image] == label).ShouldBeInRange(5760 - 330, 5760 + 330);
        drawn.Distinct().Count(image => labels[image] == 0).ShouldBeGreaterThan(900);
        sampler.Batch(30).ShouldBe(new ClassBalancedSampler(labels, 64, seed: 2).Batch(30));
        sampler.Batch(30).ShouldNotBe(sampler.Batch(31));
    }

    [Fact]
    public void Fixed_triplets_are_the_same_in_every_epoch_and_all_are_shown()
    {
        var labels = PatternSet.Labels(4, 1, 9, 2, 3);
        var sampler = new FixedTripletSampler(labels, 50, batchSize: 20, seed: 6);

        sampler.BatchSize.ShouldBe(18);
        sampler.StepsPerEpoch.ShouldBe(9);
        var epochs = Enumerable.Range(0, 3).Select(epoch => Enumerable.Range(epoch * 9, 9).SelectMany(step => sampler.Batch(step).Chunk(3)).ToList()).ToList();

        foreach (var triplet in epochs[0])
        {
            labels[triplet[0]].ShouldBe(labels[triplet[1]]);
            triplet[0].ShouldNotBe(triplet[1]);
            labels[triplet[0]].ShouldNotBe(labels[triplet[2]]);
        }
        // The first 50 of 54 are the permutation; the last four begin it anew.
        var lists = epochs.Select(epoch => epoch.Take(50).Select(t => (t[0], t[1], t[2])).Order().ToList()).ToList();
        lists[1].ShouldBe(lists[0]);
        lists[2].ShouldBe(lists[0]);
        epochs[1][0].ShouldNotBe(epochs[0][0]);
        new FixedTripletSampler(labels, 50, 20, seed: 6).Batch(12).ShouldBe(sampler.Batch(12));
    }

    [Fact]
    public void Triplets_need_two_classes_and_a_pair() =>
        Should.Throw<ArgumentException>(() => new FixedTripletSampler([0, 1, 2], 5, 9, 0)).Message.ShouldContain("one with two images");
}
