using DmlPipeline.Learning.Data;

namespace DmlPipeline.Tests.Torch.Learning.Data;

public sealed class SmartMiningSamplerTests
{
    private const int Classes = 60;
    private static readonly int[] Labels = PatternSet.Labels([.. Enumerable.Range(0, Classes).Select(c => 9 + (c % 5))]);

    // Classes on a circle: the nearest are those beside.
    private static readonly int[][] Ring =
        [.. Enumerable.Range(0, Classes).Select(c => Enumerable.Range(1, 6).SelectMany(d => new[] { (c + d) % Classes, (c - d + Classes) % Classes }).ToArray())];

    [Fact]
    public void Every_image_is_seen_in_every_epoch_before_and_after_mining()
    {
        var sampler = new SmartMiningSampler(Labels, 12, 4, 3, seed: 1);
        Seen.InEpoch(sampler, Labels.Length, 0).Min().ShouldBeGreaterThanOrEqualTo(1);

        sampler.Tell(Ring);

        for (var epoch = 1; epoch < 4; epoch++) Seen.InEpoch(sampler, Labels.Length, epoch).Min().ShouldBeGreaterThanOrEqualTo(1);
        foreach (var batch in Seen.Batches(sampler, 3)) batch.Chunk(4).Select(group => Labels[group[0]]).Distinct().Count().ShouldBe(12);
    }

    [Fact]
    public void Confused_classes_meet_more_often()
    {
        var sampler = new SmartMiningSampler(Labels, 12, 4, 3, seed: 1);
        var before = MeetingsOfNeighbours(sampler);

        sampler.Tell(Ring);

        // By chance, 11 others of 59 are there, so each of the two neighbours is with probability 0.19.
        before.ShouldBeInRange(0.1, 0.3);
        MeetingsOfNeighbours(sampler).ShouldBeGreaterThan(0.6);
    }

    [Fact]
    public void The_same_neighbours_give_the_same_batches()
    {
        var (one, other) = (new SmartMiningSampler(Labels, 12, 4, 3, seed: 1), new SmartMiningSampler(Labels, 12, 4, 3, seed: 1));
        Seen.Batches(one, 1);
        one.Tell(Ring);
        other.Tell(Ring);

        other.Batch(40).ShouldBe(one.Batch(40));
        one.Batch(3).ShouldNotBe(new SmartMiningSampler(Labels, 12, 4, 3, seed: 1).Batch(3));
    }

    private static double MeetingsOfNeighbours(SmartMiningSampler sampler)
    {
        var (met, of) = (0, 0);
        foreach (var batch in Seen.Batches(sampler, 4))
        {
            var classes = batch.Select(image => Labels[image]).ToHashSet();
            met += classes.Sum(c => (classes.Contains((c + 1) % Classes) ? 1 : 0) + (classes.Contains((c + Classes - 1) % Classes) ? 1 : 0));
            of += 2 * classes.Count;
        }
        return (double)met / of;
    }
}
