using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Miners;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;
using DmlPipeline.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Training;

public sealed class ObjectiveTests : IDisposable
{
    private const string Triplets = "sampler: {kind: fixed-triplets, classes: 4, images_per_class: 4}\nminer: {name: as-sampled}";
    private readonly string folder = Directory.CreateTempSubdirectory("dml-objective-").FullName;

    public static TheoryData<string> Mined =>
        [.. LossCatalogue.All.Where(entry => entry.TakesMiner).SelectMany(entry => new[] { "semi-hard", "batch-hard", "hdc" }.Select(miner => $"{entry.Name} {miner}"))];

    public static TheoryData<string> Remembering =>
        [.. LossCatalogue.All.Where(entry => entry.LearnsFromPairs).Where(entry => LossCatalogue.Create(new LossSettings(entry.Name), 6, 16, CPU).IsSumOverAnchors).Select(entry => entry.Name)];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [MemberData(nameof(Mined))]
    public void A_loss_that_takes_a_miner_learns_from_the_pairs_that_it_chooses_and_from_no_others(string lossAndMiner)
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        var (loss, miner) = (lossAndMiner.Split(' ')[0], lossAndMiner.Split(' ')[1]);
        using var objective = new Objective(LossCatalogue.Create(new LossSettings(loss), 4, 6, CPU)) { Miner = MinerCatalogue.Create(new MinerSettings(miner)) };
        var x = (randn([10, 6]).to(ScalarType.Float64) + 0.5).requires_grad_();
        var input = LossInput.Batch(x, tensor(new long[] { 0, 0, 0, 1, 1, 1, 2, 2, 3, 3 }));
        var pairs = MinerCatalogue.Create(new MinerSettings(miner)).Select(input);
        var none = zeros([10, 10], ScalarType.Bool);

        var value = objective.Compute(input);
        value.backward();

        double.IsFinite(value.item<double>()).ShouldBeTrue();
        x.grad!.abs().sum().item<double>().ShouldBeGreaterThan(0);
        using var alone = LossCatalogue.Create(new LossSettings(loss), 4, 6, CPU);
        alone.Compute(input with { Selection = pairs }).item<double>().ShouldBe(value.item<double>(), 1e-12);
        // With the choice emptied, nothing is left; ranked-list and contrastive pairs stand for themselves.
        alone.Compute(input with { Selection = new PairSelection(none, none) }).item<double>().ShouldBe(0, 1e-9);
    }

    [Theory]
    [InlineData("loss: {name: contrastive}\nminer: {name: pair-margin}")]
    [InlineData("loss: {name: triplet}\nminer: {name: semi-hard, distance: cosine}")]
    [InlineData("loss: {name: margin}\nminer: {name: distance-weighted}")]
    [InlineData("loss: {name: multi-similarity}\nminer: {name: angular, angle: 10}")]
    [InlineData("loss: {name: triplet}\n" + Triplets)]
    [InlineData("loss: {name: ice}\nmemory: {size: 64, start: 0.1}")]
    [InlineData("loss: {name: tuplet-margin}\nminer: {name: n-hard, positive_to: 2}\nregularisers: [{name: intra-pair-variance}, {name: threshold-consistent-margin, weight: 0.1}]")]
    [InlineData("loss: {name: contrastive}\nminer: {name: multi-similarity}\nmemory: {size: 40}")]
    public void Mined_and_remembered_pairs_teach_the_network_to_find_unseen_classes(string lines)
    {
        var outcome = TrainingLoop.Run(NoisyShapes.Job(folder, NoisyShapes.Recipe($"epochs: 10\n{lines}")), CancellationToken.None);

        outcome.Best!.ValidationRecall1!.Value.ShouldBeGreaterThan(0.75);
    }

    [Theory]
    [InlineData("loss: {name: margin}\nminer: {name: distance-weighted}", 4)]
    [InlineData("loss: {name: contrastive}\nmemory: {size: 50, start: 0.3}", 4)]
    [InlineData("loss: {name: ice}\nmemory: {size: 50, start: 0}\nminer: {name: uniform-histogram}", 6)]
    [InlineData("loss: {name: circle}\nmemory: {size: 10}\nanchor_chunk: 5", 9)]
    [InlineData("loss: {name: triplet}\n" + Triplets, 4)]
    [InlineData("loss: {name: dynamic-soft-margin}", 4)]
    [InlineData("loss: {name: manifold, proxies: 3}", 6)]
    public void A_resumed_run_gives_the_same_weights_bit_for_bit(string lines, int interruptedAfter) =>
        Resumption.ShouldChangeNothing(folder, NoisyShapes.Recipe(lines), interruptedAfter);

    [Theory]
    [MemberData(nameof(Remembering))]
    public void A_memory_is_references_that_have_no_gradient(string name)
    {
        using var scope = NewDisposeScope();
        manual_seed(8);
        using var loss = LossCatalogue.Create(new LossSettings(name), 6, 5, CPU);
        var memory = new CrossBatchMemory(6, 5, start: 0, CPU);
        using var objective = new Objective(loss) { Memory = memory, Progress = 0.5 };
        var earlier = randn([9, 5]);
        var earlierLabels = tensor(new long[] { 5, 5, 5, 0, 1, 2, 3, 0, 1 });
        objective.AfterStep(LossInput.Batch(earlier, earlierLabels));
        var x = randn([6, 5]).requires_grad_();
        var labels = tensor(new long[] { 0, 0, 1, 1, 2, 2 });

        var random = TorchRuntime.GetRngState();
        var value = objective.Compute(LossInput.Batch(x, labels));
        value.backward();
        var gradient = x.grad!.data<float>().ToArray();
        x.grad!.zero_();
        TorchRuntime.SetRngState(random);
        // The last six of nine were kept, in whatever order.
        var expected = loss.Compute(new LossInput(
            x, labels, cat([x, earlier.narrow(0, 3, 6).roll(3, 0)]), cat([labels, earlierLabels.narrow(0, 3, 6).roll(3, 0)]), 0));
        expected.backward();

        value.item<float>().ShouldBe(expected.item<float>(), 1e-5);
        var expectedGradient = x.grad!.data<float>().ToArray();
        // Margin loss draws among its references: their order matters to it.
        if (name != "margin") for (var i = 0; i < gradient.Length; i++) gradient[i].ShouldBe(expectedGradient[i], 1e-4, $"element {i}");
    }

    [Fact]
    public void A_memory_waits_until_the_run_is_far_enough_and_remembers_meanwhile()
    {
        using var scope = NewDisposeScope();
        var memory = new CrossBatchMemory(4, 2, start: 0.5, CPU);
        using var objective = new Objective(LossCatalogue.Create(new LossSettings("ice"), 2, 2, CPU)) { Memory = memory };
        var input = LossInput.Batch(tensor(new[,] { { 1f, 0 }, { 0, 1 } }), tensor(new long[] { 0, 1 }));

        memory.Extend(input, 1).References.shape.ShouldBe([2, 2], "it is empty");
        objective.AfterStep(input);
        memory.Extend(input, 0.49).References.shape.ShouldBe([2, 2]);
        memory.Extend(input, 0.5).References.shape.ShouldBe([4, 2]);
        memory.Extend(input, 0.5).ReferenceLabels.data<long>().ToArray().ShouldBe([0, 1, 0, 1]);
        for (var i = 0; i < 3; i++) objective.AfterStep(input);
        memory.Extend(input, 1).References.shape.ShouldBe([6, 2], "it is full");
    }

    [Theory]
    [InlineData("loss: {name: ln}\nminer: {name: all}", "cannot be given to the loss 'ln'")]
    [InlineData("loss: {name: fast-ap}\nminer: {name: hard}", "miners choose pairs for ice, circle")]
    [InlineData("loss: {name: triplet}\nminer: {name: hrad}", "did you mean 'hard'?")]
    [InlineData("loss: {name: triplet}\nminer: {margin: 1}", "lacks its name")]
    [InlineData("loss: {name: triplet}\nminer: {name: hard, margin: 1}", "is not an option of the miner 'hard'")]
    [InlineData("loss: {name: triplet}\nminer: {name: batch-easy-hard, positive: semi-hard}", "each of which is measured by the other")]
    [InlineData("loss: {name: triplet}\nminer: {name: as-sampled}", "belong together")]
    [InlineData("loss: {name: triplet}\nsampler: {kind: fixed-triplets}", "belong together")]
    [InlineData("loss: {name: ln}\nmemory: {size: 5}", "compares images with class weights")]
    [InlineData("sampler: {super_classes: 2}", "is an option of sampler.kind hierarchical only")]
    [InlineData("sampler: {kind: hierarchical, super_classes: 3, classes: 32}", "cannot be shared equally")]
    [InlineData("sampler: {kind: class-balanced}", "learns from pairs within a batch")]
    public void What_does_not_go_together_is_refused(string lines, string why) =>
        Should.Throw<RecipeException>(() => RecipeFile.Parse($"epochs: 1\n{lines}", "test")).Message.ShouldContain(why);

    [Theory]
    [InlineData("loss: {name: ice}\nminer: {name: hdc}\nanchor_chunk: 5", "The miner 'hdc' looks at a batch as a whole")]
    [InlineData("loss: {name: histogram}\nmemory: {size: 5}", "cannot be compared with a memory")]
    public void What_looks_at_whole_batches_refuses_what_takes_them_apart(string lines, string why) =>
        Should.Throw<InvalidDataException>(() => TrainingLoop.Run(NoisyShapes.Job(folder, NoisyShapes.Recipe(lines)), CancellationToken.None)).Message.ShouldContain(why);

    [Fact]
    public void A_recipe_with_a_miner_reads_back_as_it_was_written_and_one_without_says_nothing_of_it()
    {
        var recipe = RecipeFile.Parse("epochs: 3\nloss: {name: triplet}\nminer: {name: semi-hard, margin: 0.3}\nmemory: {size: 99}\nsampler: {kind: smart-mining, neighbours: 2}", "test");
        var json = RecipeFile.ToCanonicalJson(recipe);

        RecipeFile.ToCanonicalJson(RecipeFile.Parse(json, "test")).ShouldBe(json);
        json.ShouldContain("\"miner\":{\"distance\":\"lp\",\"margin\":0.3,\"name\":\"semi-hard\"");
        var plain = RecipeFile.ToCanonicalJson(RecipeFile.Parse("epochs: 3", "test"));
        foreach (var key in new[] { "miner", "memory", "neighbours", "super_classes", "triplets" }) plain.ShouldNotContain($"\"{key}\"");
    }
}
