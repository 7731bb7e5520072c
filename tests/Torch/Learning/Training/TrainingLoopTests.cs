using System.Text.Json;
using DmlPipeline.Learning.Models;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;
using DmlPipeline.Tests.Torch.Learning.Losses;
using DmlPipeline.Torch;

namespace DmlPipeline.Tests.Torch.Learning.Training;

public sealed class TrainingLoopTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("dml-training-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [MemberData(nameof(CatalogueTests.Names), MemberType = typeof(CatalogueTests))]
    public void Every_loss_teaches_the_network_to_find_unseen_classes(string loss)
    {
        var outcome = TrainingLoop.Run(NoisyShapes.Job(folder, NoisyShapes.Recipe($"epochs: 8\nloss: {{name: {loss}}}")), CancellationToken.None);

        outcome.End.ShouldBe(TrainingEnd.Completed);
        outcome.History.Count.ShouldBe(8);
        // The mean over the triplets that still violate the margin says nothing about how many there are.
        if (loss != "triplet") outcome.History[^1].Loss.ShouldBeLessThan(outcome.History[0].Loss);
        outcome.Best!.ValidationRecall1!.Value.ShouldBeGreaterThan(0.75);
    }

    [Fact]
    public void Chunks_of_anchors_train_the_same_network()
    {
        var whole = TrainingLoop.Run(NoisyShapes.Job(Path.Combine(folder, "whole"), NoisyShapes.Recipe("epochs: 1")), CancellationToken.None);
        var chunked = TrainingLoop.Run(NoisyShapes.Job(Path.Combine(folder, "chunked"), NoisyShapes.Recipe("epochs: 1\nanchor_chunk: 5")), CancellationToken.None);

        chunked.History[0].Loss.ShouldBe(whole.History[0].Loss, 1e-3);
        chunked.History[0].ValidationMapAtR!.Value.ShouldBe(whole.History[0].ValidationMapAtR!.Value, 0.02);
    }

    [Fact]
    public void A_loss_that_looks_at_whole_batches_refuses_chunks_of_anchors() =>
        Should.Throw<InvalidDataException>(() => TrainingLoop.Run(
            NoisyShapes.Job(folder, NoisyShapes.Recipe("epochs: 1\nanchor_chunk: 5\nloss: {name: histogram}")), CancellationToken.None)).Message.ShouldContain("anchor_chunk");

    [Fact]
    public void Sampled_classes_refuse_chunks_of_anchors() =>
        Should.Throw<InvalidDataException>(() => TrainingLoop.Run(
            NoisyShapes.Job(folder, NoisyShapes.Recipe("epochs: 1\nanchor_chunk: 5\nloss: {name: arcface, sampled_classes: 0.5}")), CancellationToken.None)).Message.ShouldContain("sampled_classes");

    [Fact]
    public void Class_weights_that_begin_at_class_means_begin_with_a_smaller_loss()
    {
        double FirstLoss(bool atMeans) => TrainingLoop.Run(
            NoisyShapes.Job(Path.Combine(folder, $"{atMeans}"), NoisyShapes.Recipe($"epochs: 1\nloss: {{name: ln, start: {(atMeans ? "class-means" : "random")}}}")), CancellationToken.None).History[0].Loss;

        FirstLoss(atMeans: true).ShouldBeLessThan(FirstLoss(atMeans: false));
    }

    [Fact]
    public void The_model_kept_is_the_best_validated_epoch()
    {
        var job = NoisyShapes.Job(folder, NoisyShapes.Recipe("epochs: 4\noptimiser: {learning_rate: 0.05}"));

        var outcome = TrainingLoop.Run(job, CancellationToken.None);

        var best = outcome.History.OrderBy(epoch => (epoch.ValidationMapAtR, epoch.ValidationRecall1, epoch.Epoch)).Last();
        outcome.Best.ShouldBe(best);
        using var model = EmbeddingModel.Load(outcome.ModelPath!);
        ValidationScore.Measure(model, job.Validation!, CancellationToken.None).ShouldBe(new ValidationScore(best.ValidationRecall1!.Value, best.ValidationMapAtR!.Value));
    }

    [Fact]
    public void Metrics_file_has_one_line_per_epoch_also_after_a_resume()
    {
        var recipe = NoisyShapes.Recipe();
        Interrupt(recipe, afterStep: 8);
        var outcome = TrainingLoop.Run(NoisyShapes.Job(folder, recipe), CancellationToken.None);

        var lines = File.ReadAllLines(Path.Combine(folder, "metrics.jsonl"));

        lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("epoch").GetInt32()).ShouldBe([1, 2, 3]);
        outcome.History.Count.ShouldBe(3);
    }

    [Theory]
    [InlineData("adamw", 4)]
    [InlineData("sgd", 4)]
    [InlineData("adamw", 6)]
    [InlineData("adamw", 9)]
    [InlineData("adamw", 4, "name: centre, sampled_classes: 0.5, start: class-means")]
    [InlineData("sgd", 9, "name: sub-centre-arcface, sampled_classes: 0.7")]
    public void Resumed_run_gives_the_same_weights_bit_for_bit(string optimiser, int interruptedAfter, string loss = "name: hbn")
    {
        // Six steps an epoch: 4 and 9 lie within epochs, 6 between the last step of one and its validation.
        var recipe = NoisyShapes.Recipe($"optimiser: {{name: {optimiser}, learning_rate: 0.01}}\nloss: {{{loss}}}\nclip_gradient: 5");
        var whole = Directory.CreateDirectory(Path.Combine(folder, "whole")).FullName;
        var expected = TrainingLoop.Run(NoisyShapes.Job(whole, recipe), CancellationToken.None);

        Interrupt(recipe, interruptedAfter);
        var resumed = TrainingLoop.Run(NoisyShapes.Job(folder, recipe), CancellationToken.None);

        File.ReadAllBytes(resumed.ModelPath!).ShouldBe(File.ReadAllBytes(expected.ModelPath!));
        TensorBytes(resumed.CheckpointPath).ShouldBe(TensorBytes(expected.CheckpointPath));
        resumed.History.Select(epoch => (epoch.Loss, epoch.ValidationRecall1, epoch.PositiveSimilarity))
            .ShouldBe(expected.History.Select(epoch => (epoch.Loss, epoch.ValidationRecall1, epoch.PositiveSimilarity)));
    }

    [Fact]
    public void Cancelled_run_saves_a_checkpoint_before_it_ends()
    {
        var outcome = Interrupt(NoisyShapes.Recipe(), afterStep: 4);

        outcome.End.ShouldBe(TrainingEnd.Cancelled);
        outcome.ModelPath.ShouldBeNull();
        new CheckpointFile(folder).Load()!.Value.Position.Step.ShouldBe(4);
    }

    [Fact]
    public void Loss_that_is_not_a_number_stops_the_run_with_the_facts()
    {
        var recipe = NoisyShapes.Recipe("epochs: 50\noptimiser: {name: sgd, learning_rate: 100}\nschedule: {warmup: 0, kind: constant}\nloss: {name: softmax}");

        var error = Should.Throw<TrainingDivergedException>(() => TrainingLoop.Run(NoisyShapes.Job(folder, recipe), CancellationToken.None));

        error.Step.LearningRate.ShouldBe(100);
        error.Step.Labels.Count.ShouldBe(16);
        (double.IsFinite(error.Step.Loss) && double.IsFinite(error.Step.GradientNorm ?? 0)).ShouldBeFalse();
        error.Message.ShouldContain("optimiser.learning_rate");
    }

    [Fact]
    public void Budget_ends_the_run_by_the_clock_with_a_validated_last_epoch()
    {
        // Every look at this clock takes a second: the budget is used up after a known number of looks, whatever the machine's speed.
        var job = NoisyShapes.Job(folder, NoisyShapes.Recipe("budget: 120s")) with { Clock = new StepClock() };

        var outcome = TrainingLoop.Run(job, CancellationToken.None);

        outcome.End.ShouldBe(TrainingEnd.Completed);
        outcome.Seconds.ShouldBeGreaterThanOrEqualTo(120);
        outcome.History[^1].ValidationRecall1.ShouldNotBeNull();
    }

    [Fact]
    public void Early_stop_ends_a_run_that_no_longer_improves()
    {
        var recipe = NoisyShapes.Recipe("epochs: 60\nearly_stop: 1\noptimiser: {learning_rate: 0.05}");

        var outcome = TrainingLoop.Run(NoisyShapes.Job(folder, recipe), CancellationToken.None);

        outcome.End.ShouldBe(TrainingEnd.StoppedEarly);
        outcome.History.Count.ShouldBeLessThan(60);
        outcome.Best!.Epoch.ShouldBe(outcome.History.Count - 1);
    }

    [Fact]
    public void Without_validation_the_last_epoch_is_the_model()
    {
        var outcome = TrainingLoop.Run(NoisyShapes.Job(folder, NoisyShapes.Recipe(), validated: false), CancellationToken.None);

        outcome.Best!.Epoch.ShouldBe(3);
        outcome.Best.ValidationRecall1.ShouldBeNull();
        File.Exists(outcome.ModelPath).ShouldBeTrue();
    }

    [Fact]
    public void Checkpoint_of_another_recipe_is_refused()
    {
        Interrupt(NoisyShapes.Recipe(), afterStep: 4);

        Should.Throw<InvalidDataException>(() => TrainingLoop.Run(NoisyShapes.Job(folder, NoisyShapes.Recipe("epochs: 9")), CancellationToken.None))
            .Message.ShouldContain("another recipe");
    }

    [Fact]
    public void Progress_reaches_one_and_knows_the_validation()
    {
        var seen = new List<TrainingProgress>();

        TrainingLoop.Run(NoisyShapes.Job(folder, NoisyShapes.Recipe()) with { Progressed = seen.Add }, CancellationToken.None);

        seen[^1].Fraction.ShouldBe(1);
        seen[^1].Epoch.ShouldBe(3);
        seen[^1].ValidationRecall1.ShouldNotBeNull();
        seen.Select(progress => progress.Fraction).ShouldBeInOrder();
    }

    [Fact]
    public void A_run_leaves_no_tensors_behind()
    {
        TrainingLoop.Run(NoisyShapes.Job(Path.Combine(folder, "first"), NoisyShapes.Recipe("epochs: 1")), CancellationToken.None);
        var before = LiveTensors.Settled();

        TrainingLoop.Run(NoisyShapes.Job(Path.Combine(folder, "second"), NoisyShapes.Recipe("epochs: 2\nloss: {name: hbn}")), CancellationToken.None);

        TorchRuntime.LiveTensors.ShouldBe(before);
    }

    [Fact]
    public void Tensors_do_not_add_up_over_100_steps()
    {
        LiveTensors.Settled();
        var counts = new List<long>();
        // A report before every step: the counts are of the state alone.
        var job = NoisyShapes.Job(folder, NoisyShapes.Recipe("epochs: 20"), validated: false) with { Clock = new StepClock(), CheckpointSaved = _ => counts.Add(TorchRuntime.LiveTensors) };

        TrainingLoop.Run(job, CancellationToken.None);

        counts.Count.ShouldBeGreaterThan(10);
        counts[^1].ShouldBe(counts[1]);
    }

    private TrainingOutcome Interrupt(TrainingRecipe recipe, long afterStep)
    {
        using var cancel = new CancellationTokenSource();
        var job = NoisyShapes.Job(folder, recipe) with
        {
            Clock = new StepClock(),
            CheckpointEvery = TimeSpan.FromHours(100),
            Progressed = progress => { if (progress.Step >= afterStep) cancel.Cancel(); },
        };
        return TrainingLoop.Run(job, cancel.Token);
    }

    private static byte[] TensorBytes(string checkpoint)
    {
        var file = File.ReadAllBytes(checkpoint);
        return file[(8 + (int)BitConverter.ToInt64(file))..];
    }

    /// <summary>Every look is a second later.</summary>
    private sealed class StepClock : TimeProvider
    {
        private long now;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => now++;
    }
}
