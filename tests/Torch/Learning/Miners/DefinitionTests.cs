using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Miners;
using DmlPipeline.Learning.Recipes;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Miners;

/// <summary>Against the definitions as loops, on random batches with a class of one image.</summary>
public sealed class DefinitionTests
{
    private const int Dimensions = 4;
    private static readonly long[] Labels = [0, 0, 0, 1, 1, 2, 3, 3, 3, 3];

    // What draws at random is looked at below; packed triplets do not depend on features.
    private static readonly string[] NotByFeatures = ["distance-weighted", "uniform-histogram", "as-sampled"];

    public static TheoryData<string> Choosing =>
    [
        // The two pairs of two images are equally far apart: shares that take both or neither.
        .. MinerCatalogue.Names.Except(NotByFeatures).Select(name => name == "hdc" ? "{name: hdc, share: 0.4}" : $"{{name: {name}}}"),
        "{name: hard, distance: snr}", "{name: semi-hard, distance: lp, p: 3, margin: 0.5}", "{name: violating, distance: lp, p: 1, normalised: false, margin: 2}",
        "{name: batch-easy-hard, positive: hard, negative: semi-hard}", "{name: batch-easy-hard, positive: semi-hard, negative: easy}",
        "{name: batch-easy-hard, positive: all, negative: hard, distance: cosine}", "{name: hdc, share: 0.2}", "{name: n-hard, positive_from: 2, negative_to: 4}", "{name: n-hard, positive_to: 100000, negative_from: 6, negative_to: 100000}", "{name: angular, angle: 45}", "{name: multi-similarity, epsilon: 0.5}",
    ];

    [Theory]
    [MemberData(nameof(Choosing))]
    public void The_choice_equals_the_definition(string miner)
    {
        using var scope = NewDisposeScope();
        var settings = MinersGolden.Miner(miner);
        for (var seed = 0; seed < 10; seed++)
        {
            var x = Rows(seed);
            var naive = new NaiveMiners(x, Labels);

            var chosen = MinerCatalogue.Create(settings).Select(Input(x, Labels));

            var (positives, negatives) = naive.MinedPairs(settings);
            MinersGolden.Pairs(chosen.Positives).ShouldBe([.. positives.Select(pair => ((long)pair.Item1, (long)pair.Item2)).Order()], $"seed {seed}");
            MinersGolden.Pairs(chosen.Negatives).ShouldBe([.. negatives.Select(pair => ((long)pair.Item1, (long)pair.Item2)).Order()], $"seed {seed}");
            if (chosen.Triplets is { } triplets)
                MinersGolden.Of(triplets).ShouldBe([.. naive.MinedTriplets(settings).Select(t => ((long)t.A, (long)t.P, (long)t.N)).Order()], $"seed {seed}");
        }
    }

    [Theory]
    [MemberData(nameof(Choosing))]
    public void Chunks_of_anchors_choose_what_the_whole_batch_chooses(string miner)
    {
        using var scope = NewDisposeScope();
        var mining = MinerCatalogue.Create(MinersGolden.Miner(miner));
        if (!mining.IsPerAnchor) return;
        var input = Input(Rows(3), Labels);
        var whole = mining.Select(input);

        foreach (var (first, count) in new[] { (0L, 4L), (4L, 5L), (9L, 1L) })
        {
            var (part, expected) = (mining.Select(input.Chunk(first, count)), whole.Chunk(first, count));
            MinersGolden.Pairs(part.Positives).ShouldBe(MinersGolden.Pairs(expected.Positives));
            MinersGolden.Pairs(part.Negatives).ShouldBe(MinersGolden.Pairs(expected.Negatives));
            if (expected.Triplets is { } triplets) MinersGolden.Of(part.Triplets!.Value).ShouldBe(MinersGolden.Of(triplets));
        }
    }

    [Fact]
    public void No_miner_stumbles_over_a_batch_without_positives_without_negatives_or_without_images()
    {
        foreach (var name in MinerCatalogue.Names)
        {
            foreach (var labels in new long[][] { [1, 1, 1, 1], [0, 1, 2, 3], [5], [] })
            {
                using var scope = NewDisposeScope();
                var chosen = MinerCatalogue.Create(MinersGolden.Miner($"{{name: {name}}}")).Select(LossInput.Batch(randn([labels.Length, Dimensions]), tensor(labels)));

                chosen.Positives.shape.ShouldBe([labels.Length, labels.Length]);
                if (name == "as-sampled") continue; // trusts the sampler
                MinersGolden.Pairs(chosen.Positives).ShouldAllBe(pair => pair.Item1 != pair.Item2 && labels[pair.Item1] == labels[pair.Item2]);
                MinersGolden.Pairs(chosen.Negatives).ShouldAllBe(pair => labels[pair.Item1] != labels[pair.Item2]);
            }
        }
    }

    [Fact]
    public void Identical_features_and_features_of_length_zero_do_not_confuse_any_miner()
    {
        foreach (var name in MinerCatalogue.Names)
        {
            foreach (var x in new[] { ones([10, Dimensions]), zeros([10, Dimensions]) })
            {
                using var scope = NewDisposeScope();
                using var loss = LossCatalogue.Create(new LossSettings("triplet"), 4, Dimensions, CPU);
                var features = x.detach().clone().requires_grad_();
                var input = LossInput.Batch(features, tensor(Labels));

                var value = loss.Compute(input with { Selection = MinerCatalogue.Create(MinersGolden.Miner($"{{name: {name}}}")).Select(input) });
                value.backward();

                float.IsFinite(value.item<float>()).ShouldBeTrue(name);
                features.grad!.data<float>().ToArray().ShouldAllBe(g => float.IsFinite(g));
            }
        }
    }

    [Fact]
    public void Distance_weighted_draws_follow_the_inverse_density()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        // Three images of a class on the circle, negatives at 0.6, 1.0 and 1.39 from the first.
        double[] angles = [0, 0.1, -0.1, Angle(0.6), Angle(1.0), Angle(1.39), Angle(1.7)];
        var x = angles.Select(angle => new[] { Math.Cos(angle), Math.Sin(angle), 0, 0 }).ToArray();
        var input = Input(x, [0, 0, 0, 1, 1, 1, 1]);
        var miner = new DistanceWeightedMiner(0.5, 1.4);
        var drawn = new double[7];

        const int draws = 3000;
        for (var i = 0; i < draws; i++)
        {
            using var inner = NewDisposeScope();
            foreach (var (a, _, n) in MinersGolden.Of(miner.Select(input).Triplets!.Value).Where(t => t.Item1 == 0)) drawn[n]++;
        }

        // D = 4: q(d) ~ d² sqrt(1 - d²/4); two positive pairs of the first image.
        double[] weights = [.. new[] { 0.6, 1.0, 1.39 }.Select(d => 1 / (d * d * Math.Sqrt(1 - (d * d / 4))))];
        for (var k = 0; k < 3; k++) (drawn[3 + k] / (2 * draws)).ShouldBe(weights[k] / weights.Sum(), 0.03);
        drawn[6].ShouldBe(0, "too far away to be drawn");
    }

    [Fact]
    public void The_histogram_miner_takes_as_many_pairs_from_each_bin_as_there_are_and_are_asked_for()
    {
        using var scope = NewDisposeScope();
        var x = Rows(2, 40);
        var labels = Enumerable.Range(0, 40).Select(i => (long)(i % 4)).ToArray();
        var settings = MinersGolden.Miner("{name: uniform-histogram, bins: 8, positives_per_bin: 5, negatives_per_bin: 7}");
        var naive = new NaiveMiners(x, labels);

        var chosen = MinerCatalogue.Create(settings).Select(Input(x, labels));

        Check(chosen.Positives, [.. naive.PositivePairs], 5);
        Check(chosen.Negatives, [.. naive.NegativePairs], 7);

        void Check(Tensor mask, (int, int)[] pairs, int perBin)
        {
            var d = pairs.ToDictionary(pair => ((long)pair.Item1, (long)pair.Item2), pair => naive.Distance(pair.Item1, pair.Item2, settings));
            var (low, high) = (d.Values.Min(), d.Values.Max());
            int Bin(double distance) => Math.Min(7, (int)((distance - low) / (high - low) * 8));
            var taken = MinersGolden.Pairs(mask).CountBy(pair => Bin(d[pair])).ToDictionary();
            foreach (var (bin, there) in d.Values.CountBy(Bin)) taken.GetValueOrDefault(bin).ShouldBe(Math.Min(perBin, there), $"bin {bin}");
        }
    }

    [Fact]
    public void Packed_triplets_are_taken_as_they_lie()
    {
        using var scope = NewDisposeScope();
        var miner = new AsSampledMiner();
        var input = Input(Rows(1, 8), [0, 0, 1, 2, 2, 0, 1, 1]);

        MinersGolden.Of(miner.Select(input).Triplets!.Value).ShouldBe([(0, 1, 2), (3, 4, 5)]);
        MinersGolden.Of(miner.Select(input.Chunk(2, 3)).Triplets!.Value).ShouldBe([(1, 4, 5)]);
    }

    [Fact]
    public void Triplets_of_a_large_batch_are_found_piece_by_piece()
    {
        using var scope = NewDisposeScope();
        manual_seed(2);
        // 2,048 images, 4 of each class: 6,144 positive pairs and 12.6 million triplets; a matrix of pieces holds 2^24 entries. All features on one axis
        // but for the class, so that the answer can be counted.
        const int classes = 512;
        var labels = Enumerable.Range(0, classes * 4).Select(i => (long)(i / 4)).ToArray();
        var x = labels.Select(label => new[] { Math.Cos(label * 0.001), Math.Sin(label * 0.001) }).SelectMany(row => row).ToArray();
        var input = LossInput.Batch(tensor(x, ScalarType.Float64).reshape(-1, 2), tensor(labels));

        var chosen = MinerCatalogue.Create(MinersGolden.Miner("{name: semi-hard, margin: 0.00205}")).Select(input);

        // Distances between classes k apart are about 0.001 k: one or two classes on either side are within the margin.
        var expected = Enumerable.Range(0, classes).Sum(c => Enumerable.Range(c - 2, 5).Count(other => other != c && other is >= 0 and < classes)) * 4L * 3 * 4;
        chosen.Triplets!.Value.Anchors.shape[0].ShouldBe(expected);
    }

    private static double Angle(double distance) => 2 * Math.Asin(distance / 2);

    private static LossInput Input(double[][] x, long[] labels) => LossInput.Batch(tensor(x.SelectMany(row => row).ToArray(), ScalarType.Float64).reshape(x.Length, -1), tensor(labels));

    private static double[][] Rows(int seed, int count = 10)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, Dimensions).Select(_ => (random.NextDouble() * 2) - 1).ToArray())];
    }
}
