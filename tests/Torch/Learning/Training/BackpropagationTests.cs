using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Models;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;
using DmlPipeline.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Training;

public sealed class BackpropagationTests : IDisposable
{
    private const int Count = 22;
    private static readonly ModelSpec Spec = new("conv4", 8, new ImageShape(1, 16, 16), [0.5], [0.5], Invert: false);
    private readonly string folder = Directory.CreateTempSubdirectory("dml-gradients-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(5, null)]
    [InlineData(null, 7)]
    [InlineData(5, 7)]
    [InlineData(22, 22)]
    [InlineData(4, 11)]
    public void Chunks_and_micro_batches_give_the_gradient_of_the_whole_batch(int? anchorChunk, int? microBatch)
    {
        using var scope = NewDisposeScope();
        var (pixels, labels) = Batch();
        foreach (var name in new[] { "ice", "contrastive", "ln" })
        {
            // Batch normalisation with the statistics that it has: without those of the batch, images are embedded each for itself.
            using var model = EmbeddingModel.Create(Spec, seed: 2);
            model.train();
            model.FreezeBatchNorm();
            using var loss = LossCatalogue.Create(new LossSettings(name), 5, 8, CPU);

            var whole = new Backpropagation(model, model.Features, loss, null, Alone(null)).Run(pixels, labels);
            var expected = Gradients(model, loss);
            foreach (var gradient in expected.Values) gradient.ShouldContain(value => value != 0);
            model.zero_grad();
            foreach (var weights in loss.Parameters.Values) weights.grad!.zero_();
            var parts = new Backpropagation(model, model.Features, loss, anchorChunk, Alone(microBatch)).Run(pixels, labels);

            parts.Loss.ShouldBe(whole.Loss, 1e-6 * Math.Max(1, whole.Loss));
            parts.Activity.ShouldBe(whole.Activity);
            foreach (var (parameter, actual) in Gradients(model, loss))
            {
                var largest = expected[parameter].Max(Math.Abs);
                // A gradient adds up thousands of products, in an order that depends on the processor.
                actual.Zip(expected[parameter], (a, e) => Math.Abs(a - e)).Max().ShouldBeLessThan(4e-6f * Math.Max(1, largest), $"{name}: {parameter}");
            }
        }
    }

    [Fact]
    public void What_is_dropped_at_random_is_dropped_again_in_the_second_pass()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        using var layer = nn.Linear(6, 8);
        // Half of the inputs, drawn anew in every pass.
        Tensor Embed(Tensor x) => layer.call(x * rand(x.shape).gt(0.5).to(ScalarType.Float32));
        var (x, labels) = (randn([Count, 6]), Batch().Labels);
        using var loss = LossCatalogue.Create(new LossSettings("ice"), 5, 8, CPU);

        var random = TorchRuntime.GetRngState();
        var learnt = new Backpropagation(layer, Embed, loss, null, Alone(6)).Run(x, labels);
        var after = rand(3).data<float>().ToArray();
        var actual = layer.weight!.grad!.data<float>().ToArray();

        // The same draws, four passes in a row, with one graph.
        TorchRuntime.SetRngState(random);
        layer.zero_grad();
        var features = cat(new[] { (0, 6), (6, 6), (12, 6), (18, 4) }.Select(part => Embed(x.narrow(0, part.Item1, part.Item2))).ToArray());
        loss.Compute(LossInput.Batch(features, labels)).backward();

        rand(3).data<float>().ToArray().ShouldBe(after, "the generator goes on as after one pass");
        (features - learnt.Features).abs().max().item<float>().ShouldBe(0);
        var expected = layer.weight!.grad!.data<float>().ToArray();
        actual.Zip(expected, (a, e) => Math.Abs(a - e)).Max().ShouldBeLessThan(1e-6f);
    }

    [Fact]
    public void Running_statistics_move_once_and_not_in_both_passes()
    {
        using var scope = NewDisposeScope();
        var (pixels, labels) = Batch();
        using var model = EmbeddingModel.Create(Spec, seed: 2);
        using var other = EmbeddingModel.Create(Spec, seed: 2);
        model.train();
        other.train();
        using var loss = LossCatalogue.Create(new LossSettings("ice"), 5, 8, CPU);

        new Backpropagation(model, model.Features, loss, null, Alone(8)).Run(pixels, labels);
        foreach (var (first, count) in new[] { (0, 8), (8, 8), (16, 6) }) other.Features(pixels.narrow(0, first, count));

        foreach (var ((name, actual), (_, expected)) in model.named_buffers().Zip(other.named_buffers()))
            (actual.to(ScalarType.Float32) - expected.to(ScalarType.Float32)).abs().max().item<float>().ShouldBe(0, name);
    }

    [Fact]
    public void Micro_batches_train_the_network_and_resume_bit_for_bit()
    {
        var recipe = NoisyShapes.Recipe("micro_batch: 6\nanchor_chunk: 5\nloss: {name: ice}\nregularisers: [{name: lp-norm}, {name: spherical, weight: 0.1}]\nreduction: {name: per-anchor-mean}");

        Resumption.ShouldChangeNothing(folder, recipe, interruptedAfter: 8);
    }

    [Theory]
    [InlineData("micro_batch: 8")]
    [InlineData("loss: {name: contrastive}\nreduction: {name: mean}")]
    [InlineData("loss: {name: sub-centre-arcface, scale: 16}\nregularisers: [{name: sparse-centres}, {name: regular-face, weight: 0.1}, {name: centre-invariant, weight: 0.01}]\nreduction: {name: class-weighted}")]
    [InlineData("regularisers: [{name: spread-out}, {name: zero-mean, weight: 0.01}]")]
    public void The_network_still_learns_to_find_unseen_classes(string lines)
    {
        var outcome = TrainingLoop.Run(NoisyShapes.Job(folder, NoisyShapes.Recipe($"epochs: 10\n{lines}")), CancellationToken.None);

        outcome.Best!.ValidationRecall1!.Value.ShouldBeGreaterThan(0.75);
        outcome.History.ShouldAllBe(epoch => epoch.PositiveSimilarity != 0 && epoch.NegativeSimilarity != 0);
        outcome.History[0].ActiveFraction.ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData("regularisers: [{name: regular-face}]", "which is of class weights; the loss 'ice' has none")]
    [InlineData("regularisers: {name: lp-norm}", "must be a list such as [{name: lp-norm}]")]
    [InlineData("regularisers: [{name: lp}]", "'regularisers[0].name' must be one of")]
    [InlineData("regularisers: [{name: lp-norm}, {name: spherical, radius: 1}]", "'regularisers[1].radius' is not an option of the regulariser 'spherical'")]
    [InlineData("reduction: {name: median}", "must be one of mean, mean-of-non-zero")]
    public void Mistakes_are_named(string lines, string what) =>
        Should.Throw<RecipeException>(() => RecipeFile.Parse($"epochs: 1\n{lines}", "test")).Message.ShouldContain(what);

    [Theory]
    [InlineData("regularisers: [{name: spread-out}]\nanchor_chunk: 5", "The regulariser 'spread-out' looks at a batch as a whole")]
    [InlineData("loss: {name: ln}\nregularisers: [{name: sparse-centres}]", "several class weights for each class")]
    [InlineData("loss: {name: ln, sampled_classes: 0.5}\nregularisers: [{name: regular-face}]", "leave sampled_classes out")]
    public void What_does_not_go_together_is_refused(string lines, string why) =>
        Should.Throw<InvalidDataException>(() => TrainingLoop.Run(NoisyShapes.Job(folder, NoisyShapes.Recipe(lines)), CancellationToken.None)).Message.ShouldContain(why);

    [Fact]
    public void A_recipe_with_regularisers_reads_back_as_it_was_written()
    {
        var json = RecipeFile.ToCanonicalJson(RecipeFile.Parse("epochs: 3\nregularisers: [{name: lp-norm, p: 3}, {name: spread-out}]\nreduction: {name: sum}", "test"));

        RecipeFile.ToCanonicalJson(RecipeFile.Parse(json, "test")).ShouldBe(json);
        json.ShouldContain("\"regularisers\":[{\"name\":\"lp-norm\",\"p\":3,\"power\":1,\"weight\":0.002},{\"name\":\"spread-out\",\"weight\":1}]");
    }

    private static BatchShare Alone(int? microBatch) => new(ProcessGroup.Solo, Count, microBatch, seed: 0);

    private static (Tensor Pixels, Tensor Labels) Batch()
    {
        var random = new Random(4);
        var pixels = new byte[Count * 256];
        random.NextBytes(pixels);
        return (tensor(pixels, [Count, 1, 16, 16]), tensor(Enumerable.Range(0, Count).Select(i => (long)(i % 5)).ToArray()));
    }

    private static Dictionary<string, float[]> Gradients(EmbeddingModel model, MetricLoss loss) =>
        model.named_parameters().Select(entry => (entry.name, (Tensor)entry.parameter)).Concat(loss.Parameters.Select(entry => (entry.Key, (Tensor)entry.Value)))
            .Where(entry => entry.Item2.grad is not null)
            .ToDictionary(entry => entry.Item1, entry => entry.Item2.grad!.contiguous().data<float>().ToArray(), StringComparer.Ordinal);
}
