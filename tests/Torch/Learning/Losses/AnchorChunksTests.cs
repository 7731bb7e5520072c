using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Recipes;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Losses;

public sealed class AnchorChunksTests
{
    private const int Dimensions = 8, Classes = 5;

    // With distance-weighted sampling, margin loss draws its negatives: other chunks, other draws.
    public static TheoryData<string> Names =>
        [.. LossCatalogue.All.Where(entry => entry.Name != "margin" && Create(entry.Name).IsSumOverAnchors).Select(entry => entry.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Chunks_give_the_loss_and_the_gradients_of_the_whole_batch(string name)
    {
        using var scope = NewDisposeScope();
        manual_seed(8);
        using var loss = Create(name);
        var network = randn([6, Dimensions]).to(ScalarType.Float64).requires_grad_();
        var pixels = randn([20, 6]).to(ScalarType.Float64);
        var labels = tensor(Enumerable.Range(0, 20).Select(i => (long)(i % Classes)).ToArray());

        var whole = loss.Compute(LossInput.Batch(pixels.matmul(network), labels));
        whole.backward();
        var expected = Gradients(network, loss);
        Reset(network, loss);
        var chunked = AnchorChunks.Backward(loss, pixels.matmul(network), labels, chunk: 7);

        chunked.ShouldBe(whole.item<double>(), 1e-9);
        var actual = Gradients(network, loss);
        // Class weights and their gradients are in single precision.
        for (var i = 0; i < expected.Length; i++) actual[i].ShouldBe(expected[i], 2e-6 * Math.Max(1, Math.Abs(expected[i])), $"element {i}");
    }

    private static MetricLoss Create(string name) => LossCatalogue.Create(new LossSettings(name), Classes, Dimensions, CPU);

    private static double[] Gradients(Tensor network, MetricLoss loss) =>
        [.. network.grad!.data<double>().ToArray(), .. loss.Parameters.Values.SelectMany(weights => weights.grad!.data<float>().ToArray()).Select(value => (double)value)];

    private static void Reset(Tensor network, MetricLoss loss)
    {
        network.grad!.zero_();
        foreach (var weights in loss.Parameters.Values) weights.grad!.zero_();
    }
}
