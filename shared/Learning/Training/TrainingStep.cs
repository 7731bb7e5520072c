using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Losses;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Training;

/// <summary>One step: from a batch to new weights, the same in every process that shares it.</summary>
internal sealed class TrainingStep(TrainingJob job, TrainingState state, Device device, BatchShare share)
{
    private readonly Backpropagation backpropagation = new(state.Model, state.Model.Features, state.Loss, job.Recipe.AnchorChunk, share);

    /// <param name="batch">Its pixels are the share's.</param>
    /// <param name="progress">Of the run, 0..1.</param>
    /// <param name="learnt">Told what was found out about the batch, before its tensors are freed.</param>
    /// <returns>Null; or, when loss or gradient is not finite, which: nothing has been stepped then.</returns>
    public NotFinite? Learn(Batch batch, double progress, Action<LearntBatch, Tensor>? learnt = null)
    {
        using var scope = NewDisposeScope();
        var recipe = job.Recipe;
        state.SetLearningRate(Schedule.LearningRateFactor(recipe, progress));
        state.FreezeBackbone(progress < recipe.Schedule.FreezeBackbone);
        state.Loss.Heat = Schedule.LossScaleFactor(recipe, progress);
        state.Loss.Progress = Math.Clamp(progress, 0, 1);

        var pixels = tensor(batch.Pixels, [batch.Own, batch.Shape.Channels, batch.Shape.Height, batch.Shape.Width]).to(device);
        var labels = tensor(batch.Labels, [batch.Count]).to(device);
        state.Optimiser.ZeroGrad();
        var found = backpropagation.Run(pixels, labels, batch.Step);
        if (!double.IsFinite(found.Loss)) return new NotFinite(found.Loss, GradientNorm: null);
        job.Group.Sum(state.NetworkGradients);
        var norm = GradientNorm.Clip(state.Gradients, recipe.ClipGradient);
        if (!double.IsFinite(norm)) return new NotFinite(found.Loss, norm);
        state.Step();
        state.Loss.AfterStep(LossInput.Batch(found.Features, labels));
        state.Neighbours?.Add(found.Features, labels);
        learnt?.Invoke(found, labels);
        return null;
    }
}

/// <summary>What was not finite at a step.</summary>
internal sealed record NotFinite(double Loss, double? GradientNorm);
