namespace DmlPipeline.Learning.Training;

/// <summary>Training met a loss or a gradient that is not a number. The weights were not stepped with it; the last checkpoint is sound.</summary>
public sealed class TrainingDivergedException(DivergedStep step) : Exception(step.ToString())
{
    public DivergedStep Step { get; } = step;
}

/// <summary>The facts of the step at which training diverged.</summary>
public sealed record DivergedStep(
    long Step, int Epoch, double LearningRate, double Loss, double? GradientNorm, IReadOnlyList<long> Labels, string? LastCheckpoint)
{
    public override string ToString()
    {
        var what = double.IsFinite(Loss) ? $"the gradient's norm is {GradientNorm} (loss {Loss:G4})" : $"the loss is {Loss}";
        var rescue = LastCheckpoint is null ? "No checkpoint had been written yet." : $"The last sound checkpoint is {LastCheckpoint}.";
        return $"Training diverged at step {Step} (epoch {Epoch}): {what} at learning rate {LearningRate:G4}. "
            + $"The batch held classes {string.Join(", ", Labels.Distinct().Take(20))}. {rescue} "
            + "Lower optimiser.learning_rate, lengthen schedule.warmup or set clip_gradient.";
    }
}
