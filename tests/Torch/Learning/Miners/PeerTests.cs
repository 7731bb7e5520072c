using System.Text.Json;
using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Miners;
using DmlPipeline.Learning.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Miners;

/// <summary>Against pytorch-metric-learning.</summary>
public sealed class PeerTests
{
    [Fact]
    public void Every_miner_chooses_what_the_peer_chooses()
    {
        using var scope = NewDisposeScope();
        foreach (var (settings, expected) in MinersGolden.Cases)
        {
            var chosen = MinerCatalogue.Create(settings).Select(MinersGolden.Input);

            MinersGolden.Pairs(chosen.Positives).ShouldBe(Pairs(expected, "positives"), settings.ToString());
            MinersGolden.Pairs(chosen.Negatives).ShouldBe(Pairs(expected, "negatives"), settings.ToString());
            // One positive with one negative of each anchor needs no list.
            if (expected.GetProperty("triplets").ValueKind == JsonValueKind.Null || settings.Name == "batch-hard") continue;
            MinersGolden.Of(chosen.Triplets!.Value).ShouldBe([.. MinersGolden.Rows(expected.GetProperty("triplets")).Select(t => (t[0], t[1], t[2])).Order()], settings.ToString());
        }
    }

    [Fact]
    public void Losses_of_what_was_chosen_equal_the_peers()
    {
        using var scope = NewDisposeScope();
        foreach (var (settings, expected) in MinersGolden.Cases)
        {
            if (settings.Name == "angular") continue; // the peer's was given normalised features to choose by
            foreach (var loss in expected.GetProperty("losses").EnumerateObject())
            {
                // A pair of several triplets counts several times in these losses of the peer.
                if (expected.GetProperty("triplets").ValueKind != JsonValueKind.Null && loss.Name is "contrastive" or "nt-xent") continue;
                using var objective = new Objective(MinersGolden.Loss(loss.Name)) { Miner = MinerCatalogue.Create(settings) };
                objective.Compute(MinersGolden.Input).item<double>().ShouldBe(loss.Value.GetDouble(), 1e-6, $"{loss.Name} after {settings}");
            }
        }
    }

    [Fact]
    public void Losses_with_a_memory_equal_the_peers()
    {
        using var scope = NewDisposeScope();
        var golden = MinersGolden.Root.GetProperty("memory");
        var batches = MinersGolden.Rows(golden.GetProperty("batches"));
        foreach (var loss in golden.GetProperty("losses").EnumerateObject())
        {
            using var objective = new Objective(MinersGolden.Loss(loss.Name)) { Memory = new CrossBatchMemory(8, MinersGolden.Root.GetProperty("dimensions").GetInt32(), start: 0, CPU) };
            foreach (var (batch, expected) in batches.Zip(loss.Value.EnumerateArray()))
            {
                var input = LossInput.Batch(MinersGolden.Features.index_select(0, tensor(batch)), MinersGolden.Labels.index_select(0, tensor(batch)));
                // The memory is of single precision.
                objective.Compute(input).item<double>().ShouldBe(expected.GetDouble(), 1e-5, loss.Name);
                objective.AfterStep(input);
            }
        }
    }

    [Fact]
    public void Distance_weighted_draws_have_the_peers_probabilities()
    {
        using var scope = NewDisposeScope();
        var input = MinersGolden.Input;
        var count = input.Anchors.shape[0];

        var (logWeight, candidates) = new DistanceWeightedMiner(0.5, 1.4).LogWeights(Distances.Euclidean(input), BatchPairs.Of(input).Negatives, input.Anchors.shape[1]);
        var probabilities = logWeight.masked_fill(candidates.logical_not(), double.NegativeInfinity).softmax(1).data<double>().ToArray();

        var expected = MinersGolden.Numbers("distance_weights");
        for (var i = 0; i < expected.Length; i++) probabilities[i].ShouldBe(expected[i], 1e-9, $"anchor {i / count}, reference {i % count}");
    }

    [Fact]
    public void The_histogram_has_as_many_bins_with_pairs_as_the_peers()
    {
        using var scope = NewDisposeScope();
        var golden = MinersGolden.Root.GetProperty("histogram");
        var miner = MinerCatalogue.Create(MinersGolden.Miner($"{{name: uniform-histogram, bins: {golden.GetProperty("bins")}, positives_per_bin: 1, negatives_per_bin: 1}}"));

        var chosen = miner.Select(MinersGolden.Input);

        MinersGolden.Pairs(chosen.Positives).Length.ShouldBe(golden.GetProperty("positives").GetInt32());
        MinersGolden.Pairs(chosen.Negatives).Length.ShouldBe(golden.GetProperty("negatives").GetInt32());
    }

    private static (long, long)[] Pairs(JsonElement @case, string name) => [.. MinersGolden.Rows(@case.GetProperty(name)).Select(pair => (pair[0], pair[1]))];
}
