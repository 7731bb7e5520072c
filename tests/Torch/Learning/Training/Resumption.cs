using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;

namespace DmlPipeline.Tests.Torch.Learning.Training;

/// <summary>Runs that are interrupted and go on.</summary>
internal static class Resumption
{
    /// <summary>Trains once whole and once interrupted after a step: model, checkpoint tensors and history must be the same to the last bit.</summary>
    public static void ShouldChangeNothing(string folder, TrainingRecipe recipe, long interruptedAfter)
    {
        var whole = Path.Combine(folder, "whole");
        var expected = TrainingLoop.Run(NoisyShapes.Job(whole, recipe), CancellationToken.None);

        var parts = Path.Combine(folder, "parts");
        using (var cancel = new CancellationTokenSource())
        {
            var job = NoisyShapes.Job(parts, recipe) with
            {
                Clock = new StepClock(),
                CheckpointEvery = TimeSpan.FromHours(100),
                Progressed = progress => { if (progress.Step >= interruptedAfter) cancel.Cancel(); },
            };
            TrainingLoop.Run(job, cancel.Token).End.ShouldBe(TrainingEnd.Cancelled);
        }
        var resumed = TrainingLoop.Run(NoisyShapes.Job(parts, recipe), CancellationToken.None);

        File.ReadAllBytes(resumed.ModelPath!).ShouldBe(File.ReadAllBytes(expected.ModelPath!));
        TensorBytes(resumed.CheckpointPath).ShouldBe(TensorBytes(expected.CheckpointPath));
        resumed.History.Select(epoch => (epoch.Loss, epoch.ActiveFraction, epoch.ValidationMapAtR))
            .ShouldBe(expected.History.Select(epoch => (epoch.Loss, epoch.ActiveFraction, epoch.ValidationMapAtR)));
    }

    private static byte[] TensorBytes(string checkpoint)
    {
        var file = File.ReadAllBytes(checkpoint);
        return file[(8 + (int)BitConverter.ToInt64(file))..];
    }

    /// <summary>Every look is a second later, so that every step is reported.</summary>
    private sealed class StepClock : TimeProvider
    {
        private long now;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => now++;
    }
}
