using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Models;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;
using DmlPipeline.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Training;

public sealed class FirstPassTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("dml-first-pass-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public static TheoryData<string> WithStart => [.. LossCatalogue.All.Where(entry => entry.Options.Any(option => option.Name == ClassWeights.Start.Name)).Select(entry => entry.Name)];

    [Theory]
    [MemberData(nameof(WithStart))]
    public void Class_weights_begin_at_the_means_of_their_classes(string loss)
    {
        using var scope = NewDisposeScope();
        var job = NoisyShapes.Job(folder, NoisyShapes.Recipe($"loss: {{name: {loss}, start: class-means}}"));
        using var state = State(job);

        FirstPass.Run(state, job, CPU, new Lockstep(ProcessGroup.Solo), CancellationToken.None);

        var weights = state.Loss.Parameters["weights"];
        var perClass = weights.shape[0] / 6;
        weights.norm(1).data<float>().ToArray().ShouldAllBe(length => Math.Abs(length - 1) < 1e-4);
        // Each image is nearest to the weight of its own class more often than the one time in six of random weights.
        using var noGradient = no_grad();
        var pixels = Enumerable.Range(0, job.Train.Count).SelectMany(i => Pixels(job, i)).ToArray();
        var nearest = state.Model.call(tensor(pixels, [job.Train.Count, 1, 16, 16])).matmul(weights.t()).argmax(1).data<long>().ToArray();
        nearest.Zip(job.Train.Labels, (found, own) => found / perClass == own ? 1.0 : 0).Average().ShouldBeGreaterThan(0.5);
    }

    [Fact]
    public void A_warm_start_settles_batch_statistics_and_leaves_class_weights_alone()
    {
        using var scope = NewDisposeScope();
        var job = NoisyShapes.Job(folder, NoisyShapes.Recipe("loss: {name: hbn, start: warm}"));
        using var state = State(job);
        var (weights, statistics) = (state.Loss.Parameters["weights"].detach().clone(), Statistics(state));

        FirstPass.Run(state, job, CPU, new Lockstep(ProcessGroup.Solo), CancellationToken.None);

        state.Loss.Parameters["weights"].allclose(weights).ShouldBeTrue();
        Statistics(state).ShouldNotBe(statistics);
    }

    [Fact]
    public void A_cancelled_pass_leaves_everything_as_it_was()
    {
        using var scope = NewDisposeScope();
        using var cancel = new CancellationTokenSource();
        var job = NoisyShapes.Job(folder, NoisyShapes.Recipe("loss: {name: hbn, start: class-means}"));
        using var state = State(job);
        var statistics = Statistics(state);
        cancel.Cancel();

        Should.Throw<OperationCanceledException>(() => FirstPass.Run(state, job, CPU, new Lockstep(ProcessGroup.Solo), cancel.Token));

        Statistics(state).ShouldBe(statistics);
    }

    [Fact]
    public void A_run_resumed_after_its_first_pass_ends_as_one_that_was_never_interrupted()
    {
        var recipe = NoisyShapes.Recipe("epochs: 2\nloss: {name: hbn, start: class-means}");
        var expected = TrainingLoop.Run(NoisyShapes.Job(Path.Combine(folder, "whole"), recipe), CancellationToken.None);

        using var cancel = new CancellationTokenSource();
        var interrupted = NoisyShapes.Job(Path.Combine(folder, "parts"), recipe) with { Progressed = _ => cancel.Cancel() };
        TrainingLoop.Run(interrupted, cancel.Token).End.ShouldBe(TrainingEnd.Cancelled);
        var resumed = TrainingLoop.Run(interrupted with { Progressed = null }, CancellationToken.None);

        resumed.History.Select(epoch => epoch.Loss).ShouldBe(expected.History.Select(epoch => epoch.Loss));
        File.ReadAllBytes(resumed.ModelPath!).ShouldBe(File.ReadAllBytes(expected.ModelPath!));
    }

    private static TrainingState State(TrainingJob job) => new(job.Recipe, SpecOfRecipe.Of(job.Recipe, job.Train), job.Train.ImagesPerClass, CPU);

    private static float[] Statistics(TrainingState state) =>
        [.. state.Model.state_dict().Where(entry => entry.Key.Contains("running", StringComparison.Ordinal)).SelectMany(entry => entry.Value.data<float>().ToArray())];

    private static byte[] Pixels(TrainingJob job, int image)
    {
        var pixels = new byte[job.Train.Shape.Bytes];
        job.Train.CopyPixels(image, pixels);
        return pixels;
    }
}
