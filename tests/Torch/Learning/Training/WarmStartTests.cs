using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;
using DmlPipeline.Learning.Weights;

namespace DmlPipeline.Tests.Torch.Learning.Training;

public sealed class WarmStartTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("dml-warm-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_training_that_goes_on_from_a_model_begins_where_that_was()
    {
        var earlier = Train("earlier", "epochs: 8");

        var warm = Train("warm", $"epochs: 1\nwarm_start: {{weights: {earlier.ModelPath}}}");
        var cold = Train("cold", "epochs: 1");

        warm.Best!.ValidationMapAtR!.Value.ShouldBeGreaterThan(cold.Best!.ValidationMapAtR!.Value);
        warm.PretrainedSha256.ShouldNotBeNull().Length.ShouldBe(64);
    }

    [Fact]
    public void A_resumed_warm_start_gives_the_same_weights_bit_for_bit()
    {
        var earlier = Train("earlier", "epochs: 1");

        Resumption.ShouldChangeNothing(folder, NoisyShapes.Recipe($"warm_start: {{weights: {earlier.ModelPath}}}"), 4);
    }

    [Fact]
    public void Of_two_starts_the_one_that_is_better_on_validation_stays()
    {
        var earlier = Train("earlier", "epochs: 8");

        var both = Train("both", $"epochs: 1\nwarm_start: {{weights: {earlier.ModelPath}, also_from_scratch: true}}");

        both.Start.ShouldBe(TrainingStarts.Warm);
        both.RivalMapAtR.ShouldNotBeNull().ShouldBeLessThan(both.Best!.ValidationMapAtR!.Value);
        both.ModelPath.ShouldNotBeNull().ShouldContain($"{Path.DirectorySeparatorChar}warm{Path.DirectorySeparatorChar}");
        File.Exists(Path.Combine(folder, "both", "metrics.jsonl")).ShouldBeTrue();
    }

    [Fact]
    public void Two_starts_that_were_interrupted_go_on_to_the_same_model()
    {
        var earlier = Train("earlier", "epochs: 1");
        var recipe = NoisyShapes.Recipe($"epochs: 2\nwarm_start: {{weights: {earlier.ModelPath}, also_from_scratch: true}}");
        var whole = TrainingStarts.Run(NoisyShapes.Job(Path.Combine(folder, "whole"), recipe), CancellationToken.None);
        using var stop = new CancellationTokenSource();
        var job = NoisyShapes.Job(Path.Combine(folder, "broken"), recipe);

        var cancelled = TrainingStarts.Run(job with { Progressed = progress => { if (progress.Fraction > 0.7) stop.Cancel(); } }, stop.Token);
        var resumed = TrainingStarts.Run(job, CancellationToken.None);

        cancelled.End.ShouldBe(TrainingEnd.Cancelled);
        resumed.Start.ShouldBe(whole.Start);
        File.ReadAllBytes(resumed.ModelPath!).ShouldBe(File.ReadAllBytes(whole.ModelPath!));
    }

    [Fact]
    public void A_model_of_another_network_is_refused_with_a_remedy()
    {
        var earlier = Train("earlier", "epochs: 1");

        Should.Throw<WeightException>(() => TrainingLoop.Run(
                NoisyShapes.Job(Path.Combine(folder, "other"), NoisyShapes.Recipe($"epochs: 1\nwarm_start: {{weights: {earlier.ModelPath}}}") with { EmbeddingSize = 32 }), CancellationToken.None))
            .Message.ShouldContain("Train from scratch");
    }

    [Theory]
    [InlineData("warm_start: {replay: 0.5}", "warm_start.weights")]
    [InlineData("warm_start: {weights: a, replay: 0.5}", "warm_start.trained_on")]
    [InlineData("warm_start: {weights: a}\npretrained: b", "pretrained")]
    [InlineData("warm_start: {weights: a, trained_on: 1, replay: 0.5}\nsampler: {kind: fixed-triplets}", "sampler.kind")]
    public void What_does_not_go_together_is_refused(string text, string key) =>
        Should.Throw<RecipeException>(() => RecipeFile.Parse($"epochs: 1\n{text}", "test")).Message.ShouldContain(key);

    [Theory]
    [InlineData("ice", 4)]
    [InlineData("ln", 8)]
    public void Replay_gives_old_images_their_share_of_every_batch(string loss, int oldInBatch)
    {
        // Of 96 images the first 80 are old.
        var job = NoisyShapes.Job(folder, NoisyShapes.Recipe($"epochs: 1\nloss: {{name: {loss}}}\nwarm_start: {{weights: a, trained_on: 1, replay: {(loss == "ice" ? "0.25" : "0.5")}}}"));
        var old = Enumerable.Range(0, job.Train.Count).Select(i => i < 80).ToArray();

        var sampler = SamplerOfRecipe.Make(job.Recipe, job.Train, old);

        sampler.ShouldBeOfType<ReplaySampler>();
        for (var step = 0; step < 3 * sampler.StepsPerEpoch; step++)
        {
            var batch = sampler.Batch(step);
            batch.Length.ShouldBe(sampler.BatchSize);
            batch.Count(i => old[i]).ShouldBe(oldInBatch);
        }
        Enumerable.Range(0, sampler.StepsPerEpoch).SelectMany(step => sampler.Batch(step)).Where(i => !old[i]).Distinct().Count().ShouldBe(16, "an epoch shows every new image");
        SamplerOfRecipe.Make(job.Recipe, job.Train, old: null).ShouldNotBeOfType<ReplaySampler>();
        SamplerOfRecipe.Make(job.Recipe, job.Train, new bool[job.Train.Count]).ShouldNotBeOfType<ReplaySampler>("nothing is old");
    }

    private TrainingOutcome Train(string name, string more) => TrainingStarts.Run(NoisyShapes.Job(Path.Combine(folder, name), NoisyShapes.Recipe(more)), CancellationToken.None);
}
