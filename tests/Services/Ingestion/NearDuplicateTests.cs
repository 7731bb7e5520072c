using System.Numerics;
using DmlPipeline.Ingestion.Writing;

namespace DmlPipeline.Tests.Services.Ingestion;

public sealed class NearDuplicateTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_search_finds_what_comparing_all_pairs_finds(int distance)
    {
        var random = new Random(distance);
        var hashes = Enumerable.Range(0, 60).Select(_ => (ulong)random.NextInt64()).ToList();
        // Neighbours in 0 to 4 bits, so that the border of the distance is met from both sides.
        for (var i = 0; i < 240; i++)
        {
            var hash = hashes[random.Next(60)];
            for (var flips = random.Next(5); flips > 0; flips--) hash ^= 1UL << random.Next(64);
            hashes.Add(hash);
        }
        var classes = hashes.Select(_ => "class" + random.Next(5)).ToList();
        var expected = new List<(int, int, int)>();
        for (var a = 0; a < hashes.Count; a++)
            for (var b = a + 1; b < hashes.Count; b++)
                if (BitOperations.PopCount(hashes[a] ^ hashes[b]) is var bits && bits <= distance) expected.Add((a, b, bits));

        var report = NearDuplicates.Find(hashes, classes, distance, 100_000);

        report.Complete.ShouldBeTrue();
        report.Pairs.Order().ShouldBe(expected);
        report.Pairs.Select(p => classes[p.First] == classes[p.Second]).ShouldBe(report.Pairs.Select(p => classes[p.First] == classes[p.Second]).Order());
    }

    [Fact]
    public void Many_equal_images_end_in_a_capped_list_that_prefers_pairs_between_classes()
    {
        var hashes = new ulong[20_000];
        var classes = hashes.Select((_, i) => i < 19_990 ? "many" : "few").ToArray();

        var report = NearDuplicates.Find(hashes, classes, 2, 500);

        report.Complete.ShouldBeFalse();
        report.Pairs.Count.ShouldBe(500);
        report.Pairs.ShouldAllBe(p => classes[p.First] != classes[p.Second]);
    }
}
