using System.Net;
using System.Net.Sockets;
using DmlPipeline.Learning.Models;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;
using DmlPipeline.Tests.Torch.Processes;
using DmlPipeline.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Training;

/// <summary>Real processes, which meet at a file and talk over loopback.</summary>
public sealed class ManyProcessesTests : IDisposable
{
    // Small steps in proportion to the gradient: rounding that tips a maximum from one place to another must not be steered by, and Adam would
    // divide gradients that are nothing but rounding by their own size.
    private const string Plain = "epochs: 2\nsteps_per_epoch: 4\noptimiser: {name: sgd, learning_rate: 0.002, momentum: 0.9}\n";

    private readonly string folder = Directory.CreateTempSubdirectory("dml-processes-").FullName;
    private readonly List<OtherProcess> others = [];
    private int checkpoints;

    public void Dispose()
    {
        foreach (var other in others) other.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Several_processes_train_the_model_that_one_trains()
    {
        (string Recipe, int Processes)[] cases =
        [
            ("loss: {name: ice}", 2),
            ("loss: {name: arcface}\nclip_gradient: 1", 3), // 16 images: 5, 5 and 6
            ("loss: {name: ln, start: class-means}\nsampler: {kind: shuffled, classes: 4, images_per_class: 4}", 2),
            ("loss: {name: centre, sampled_classes: 0.7}\nsampler: {kind: shuffled, classes: 5, images_per_class: 3}", 2),
            ("loss: {name: contrastive}\nmemory: {size: 40}\nmicro_batch: 8\nanchor_chunk: 5", 3),
            ("loss: {name: margin}\nminer: {name: distance-weighted}\nregularisers: [{name: spread-out}]", 2),
            ("loss: {name: vicreg}\nsampler: {kind: smart-mining, classes: 4, images_per_class: 4}", 2),
            ("loss: {name: dynamic-soft-margin}\nregularisers: [{name: intra-pair-variance}]", 2),
            ("loss: {name: manifold, proxies: 3}", 3),
        ];
        StartOthers(2);
        foreach (var (text, processes) in cases)
        {
            var recipe = NoisyShapes.Recipe(Plain + text);
            var alone = TrainingLoop.Run(NoisyShapes.Job(Path.Combine(folder, "alone"), recipe), CancellationToken.None);

            var together = Train(recipe, processes);

            for (var rank = 1; rank < processes; rank++) others[rank - 1].Answer().ShouldBe("ended", text);
            ShouldBeAlike(together, alone, text);
            foreach (var done in new[] { "alone", "together" }) Directory.Delete(Path.Combine(folder, done), recursive: true);
        }
    }

    [Fact]
    public void A_process_that_dies_stops_the_others_and_the_run_goes_on_from_its_checkpoint_in_another_number_of_them()
    {
        var recipe = NoisyShapes.Recipe(Plain + "loss: {name: arcface}");
        var whole = TrainingLoop.Run(NoisyShapes.Job(Path.Combine(folder, "alone"), recipe), CancellationToken.None);
        StartOthers(2);

        var error = Should.Throw<ProcessGroupException>(() => Train(recipe, 3, job => job with
        {
            CheckpointEvery = TimeSpan.Zero,
            CheckpointSaved = _ => KillAtTheThird(),
        }));

        error.Message.ShouldContain("has lost the others");
        others[1].Answer().ShouldStartWith("ProcessGroupException");
        var resumed = TrainingLoop.Run(NoisyShapes.Job(Path.Combine(folder, "together"), recipe), CancellationToken.None);
        ShouldBeAlike(resumed, whole, "resumed alone");

        void KillAtTheThird()
        {
            if (++checkpoints == 3) others[0].Kill();
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Asked_to_stop_any_process_stops_all_at_the_same_step_and_the_run_goes_on(int asked)
    {
        var recipe = NoisyShapes.Recipe(Plain + "loss: {name: ln, start: warm}");
        var whole = TrainingLoop.Run(NoisyShapes.Job(Path.Combine(folder, "alone"), recipe), CancellationToken.None);
        StartOthers(1);
        using var cancel = new CancellationTokenSource();

        var stopped = Train(recipe, 2, job => job with { CheckpointEvery = TimeSpan.Zero, CheckpointSaved = _ => StopAfterTheSecond() }, cancel.Token);

        stopped.End.ShouldBe(TrainingEnd.Cancelled);
        others[0].Answer().ShouldBe("ended");
        var resumed = Train(recipe, 2);
        others[0].Answer().ShouldBe("ended");
        ShouldBeAlike(resumed, whole, "resumed");

        void StopAfterTheSecond()
        {
            if (++checkpoints != 2) return;
            if (asked == 0) cancel.Cancel();
            else others[0].Stop();
        }
    }

    [Fact]
    public void More_processes_than_images_of_a_batch_are_refused()
    {
        StartOthers(1);

        var error = Should.Throw<InvalidDataException>(() => Train(NoisyShapes.Recipe("epochs: 1\nmicro_batch: 5"), 2));

        error.Message.ShouldBe("1 images cannot be shared by 2 processes: choose a micro_batch that divides the batch, or fewer processes.");
        others[0].Answer().ShouldContain("cannot be shared");
    }

    [Fact]
    public void A_process_that_waits_in_vain_says_how_long_and_for_whom()
    {
        var meeting = MeetingPoint.OfThisMachine(Path.Combine(folder, "nobody"));

        Should.Throw<ProcessGroupException>(() => ProcessGroup.Join(meeting, 0, 2, TimeSpan.FromSeconds(0.2), CancellationToken.None))
            .Message.ShouldStartWith("Process 0 of 2 did not meet the others at ");
    }

    [Fact]
    public void A_wait_for_others_can_be_cancelled()
    {
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        var meeting = MeetingPoint.At("127.0.0.1", FreePort());

        Should.Throw<OperationCanceledException>(() => ProcessGroup.Join(meeting, 0, 2, TimeSpan.FromMinutes(5), cancel.Token));
    }

    private void StartOthers(int count)
    {
        for (var i = 0; i < count; i++) others.Add(new OtherProcess());
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private TrainingOutcome Train(TrainingRecipe recipe, int size, Func<TrainingJob, TrainingJob>? more = null, CancellationToken cancel = default)
    {
        var job = NoisyShapes.Job(Path.Combine(folder, "together"), recipe);
        var meeting = Path.Combine(folder, Path.GetRandomFileName());
        for (var rank = 1; rank < size; rank++) others[rank - 1].Follow(meeting, rank, size, recipe);
        using var group = ProcessGroup.Join(MeetingPoint.OfThisMachine(meeting), 0, size, TimeSpan.FromSeconds(60), CancellationToken.None);
        return TrainingLoop.Run((more?.Invoke(job) ?? job) with { Group = group }, cancel);
    }

    /// <summary>The same epochs, and every tensor of the model within rounding.</summary>
    private static void ShouldBeAlike(TrainingOutcome actual, TrainingOutcome expected, string what)
    {
        actual.End.ShouldBe(expected.End, what);
        actual.History.Count.ShouldBe(expected.History.Count, what);
        foreach (var (a, e) in actual.History.Zip(expected.History))
        {
            a.Loss.ShouldBe(e.Loss, 1e-4 * Math.Max(1, Math.Abs(e.Loss)), what);
            a.PositiveSimilarity.ShouldBe(e.PositiveSimilarity, 1e-4, what);
        }
        using var scope = NewDisposeScope();
        using var one = EmbeddingModel.Load(expected.ModelPath!);
        using var other = EmbeddingModel.Load(actual.ModelPath!);
        var (left, right) = (one.state_dict(), other.state_dict());
        foreach (var (name, tensor) in left)
        {
            var scale = Math.Max(1, tensor.to(ScalarType.Float32).abs().max().item<float>());
            (tensor - right[name]).to(ScalarType.Float32).abs().max().item<float>().ShouldBeLessThan(2e-4f * scale, $"{what}: {name}");
        }
    }
}
