using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Recipes;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Losses;

/// <summary>What losses know beside their batch: earlier batches, the sizes of classes, which class has which proxy.</summary>
public sealed class RememberedStateTests
{
    private static readonly long[] Labels = [0, 0, 0, 1, 1, 2, 2, 3, 3];

    [Fact]
    public void Each_batch_enters_the_histogram_of_the_dynamic_margin_with_its_weight_and_the_first_with_all()
    {
        using var scope = NewDisposeScope();
        var options = new Dictionary<string, object> { ["bins"] = 9.0, ["momentum"] = 0.25, ["triplets"] = "all" };
        using var loss = LossCatalogue.Create(new LossSettings("dynamic-soft-margin", options), 4, 6, CPU);
        manual_seed(3);
        var batches = Enumerable.Range(0, 3).Select(_ => randn([Labels.Length, 6]).to(ScalarType.Float64)).ToList();
        double[]? expected = null;
        foreach (var batch in batches)
        {
            var own = Histogram(batch);
            expected = expected is null ? own : [.. expected.Zip(own, (before, now) => (0.75 * before) + (0.25 * now))];

            // A loss that is only asked for its value remembers nothing.
            loss.Compute(LossInput.Batch(batch, tensor(Labels)));
            loss.AfterStep(LossInput.Batch(batch, tensor(Labels)));

            var actual = loss.Buffers["histogram"].data<float>().ToArray();
            for (var node = 0; node < 9; node++) ((double)actual[node]).ShouldBe(expected[node], 1e-6);
        }

        // The weight of a triplet is the share of the histogram up to its interval, the batch at hand within it.
        var mixed = expected!.Zip(Histogram(batches[0]), (before, now) => (0.75 * before) + (0.25 * now)).ToArray();
        var sum = Triplets(batches[0]).Average(x => x * mixed.Take((int)((x + 2) * 2) + 1).Sum());
        loss.Compute(LossInput.Batch(batches[0], tensor(Labels))).item<double>().ShouldBe(sum, 1e-6);
    }

    [Fact]
    public void The_smaller_a_class_the_larger_its_margin()
    {
        var margins = MarginSoftmaxLoss.Margins([16, 1, 81, 0], ofSmallest: 0.5, ofLargest: 0.05, power: 0.25);

        // n^-1/4 is 1/2, 1 and 1/3; a class without images counts as one of one.
        margins.ShouldBe([0.05 + (0.45 * (0.5 - (1.0 / 3)) / (2.0 / 3)), 0.5, 0.05, 0.5], 1e-12);
        MarginSoftmaxLoss.Margins([7, 7], 0.5, 0.05, 0.25).ShouldBe([0.5, 0.5]);
    }

    [Fact]
    public void The_margin_goes_by_the_class_also_where_classes_are_sampled()
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        int[] images = [.. Enumerable.Range(1, 40)];
        var margins = MarginSoftmaxLoss.Margins(images, 0.5, 0.05, 0.25);
        var options = new Dictionary<string, object> { ["centres"] = 1.0, ["sampled_classes"] = 0.3, ["scale"] = 16.0 };
        using var loss = LossCatalogue.Create(new LossSettings("dynamic-arcface", options), images, 6, CPU);
        var x = randn([3, 6]).to(ScalarType.Float64);
        var labels = tensor(new long[] { 30, 2, 39 });
        manual_seed(6);
        var (places, weights, _) = loss.ClassWeights!.For(LossInput.Batch(x, labels));
        var cosines = nn.functional.normalize(x).matmul(nn.functional.normalize(weights).t());
        manual_seed(6);

        var values = loss.Terms(LossInput.Batch(x, labels))[0].Values.data<double>().ToArray();

        for (var i = 0; i < 3; i++)
        {
            var row = cosines[i].data<double>().ToArray();
            var own = (int)places[i].item<long>();
            var (cosine, m) = (row[own], margins[labels[i].item<long>()]);
            row[own] = cosine >= -Math.Cos(m) ? Math.Cos(Math.Acos(cosine) + m) : cosine - (m * Math.Sin(m));
            values[i].ShouldBe(Math.Log(row.Sum(s => Math.Exp(16 * s))) - (16 * row[own]), 1e-6);
        }
    }

    [Fact]
    public void Classes_share_proxies_evenly_where_there_are_fewer()
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        using var few = LossCatalogue.Create(new LossSettings("manifold", new Dictionary<string, object> { ["proxies"] = 10.0 }), 35, 6, CPU);
        using var many = LossCatalogue.Create(new LossSettings("manifold"), 35, 6, CPU);

        var shared = few.Buffers["proxy_of_class"].data<long>().ToArray();
        shared.GroupBy(proxy => proxy).Select(classes => (Proxy: classes.Key, Count: classes.Count())).OrderBy(group => group.Proxy)
            .ShouldBe(Enumerable.Range(0, 10).Select(proxy => ((long)proxy, proxy < 5 ? 4 : 3)));
        shared.ShouldNotBe([.. Enumerable.Range(0, 35).Select(label => (long)label % 10)]);
        few.Parameters["weights"].shape.ShouldBe([10, 6]);
        many.Parameters["weights"].shape.ShouldBe([35, 6]);
        many.Buffers["proxy_of_class"].data<long>().ToArray().ShouldBe(Enumerable.Range(0, 35).Select(label => (long)label));
    }

    /// <summary>d(a, p) - d(a, n) of all triplets.</summary>
    private static List<double> Triplets(Tensor batch)
    {
        var unit = nn.functional.normalize(batch);
        double Distance(int i, int j) => (unit[i] - unit[j]).norm().item<double>();
        var all = Enumerable.Range(0, Labels.Length).ToList();
        return [.. from a in all from p in all from n in all where p != a && Labels[p] == Labels[a] && Labels[n] != Labels[a] select Distance(a, p) - Distance(a, n)];
    }

    /// <summary>Shares of nine nodes from -2 to 2, half a unit apart.</summary>
    private static double[] Histogram(Tensor batch)
    {
        var (shares, triplets) = (new double[9], Triplets(batch));
        foreach (var node in triplets.Select(x => (x + 2) * 2))
        {
            shares[(int)node] += (1 - (node - (int)node)) / triplets.Count;
            shares[(int)node + 1] += (node - (int)node) / triplets.Count;
        }
        return shares;
    }
}
