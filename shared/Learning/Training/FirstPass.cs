using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Models;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Training;

/// <summary>
/// The pass over the training images before the first step that a loss's option <c>start</c> may ask for: batch statistics settle, and with
/// <c>class-means</c> each class weight begins as the direction of the mean of its class's L2-normalised features.
/// </summary>
internal static class FirstPass
{
    /// <summary>Makes the pass, whole or not at all: a cancelled one leaves the state as it was.</summary>
    /// <returns>Whether it has been made; only rank 0 of a group is told otherwise by an exception.</returns>
    public static bool Run(TrainingState state, TrainingJob job, Device device, Lockstep lockstep, CancellationToken cancel)
    {
        var loss = job.Recipe.Loss;
        var start = loss.Has(ClassWeights.Start.Name) ? loss.Choice(ClassWeights.Start.Name) : ClassWeights.StartAtRandom;
        if (start == ClassWeights.StartAtRandom) return true;
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var before = state.Model.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.clone(), StringComparer.Ordinal);
        try
        {
            if (SumsOfClasses(state.Model, job, device, lockstep, cancel) is not { } sums) return false;
            if (start == ClassWeights.StartAtClassMeans) state.Loss.BeginAt(sums);
            return true;
        }
        catch (OperationCanceledException)
        {
            state.Model.LoadWeights(before, "the start");
            throw;
        }
    }

    private static Tensor? SumsOfClasses(EmbeddingModel model, TrainingJob job, Device device, Lockstep lockstep, CancellationToken cancel)
    {
        var (recipe, train) = (job.Recipe, job.Train);
        var sampler = new ShuffleSampler(train.Count, recipe.Sampler.Classes!.Value * recipe.Sampler.ImagesPerClass!.Value, recipe.Seed);
        var share = new BatchShare(job.Group, sampler.BatchSize, microBatch: null, recipe.Seed);
        using var pipeline = new BatchPipeline(train, sampler, new Augmentation(), recipe.Seed, firstStep: 0, TrainingBatches.Workers(job), ahead: 4, share.Rows);
        var sums = zeros([train.ClassNames.Length, model.Spec.EmbeddingSize], ScalarType.Float32, device); // [M, D]
        for (var step = 0; step < sampler.StepsPerEpoch; step++)
        {
            using var scope = NewDisposeScope();
            var batch = pipeline.Next(lockstep.Interrupts(cancel));
            if (!lockstep.Continue(cancel)) return null;
            var pixels = tensor(batch.Pixels, [batch.Own, batch.Shape.Channels, batch.Shape.Height, batch.Shape.Width]).to(device);
            // In training mode, as the model is: each batch is normalised by its own statistics, and their running averages move.
            share.Begin(step);
            sums.index_add_(0, tensor(batch.Labels, [batch.Count]).to(device), F.normalize(share.Gather(model.Features(pixels))), 1);
            pipeline.Return(batch);
        }
        return sums;
    }
}
