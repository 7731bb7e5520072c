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
    public static void Run(TrainingState state, TrainingJob job, int threads, Device device, CancellationToken cancel)
    {
        var loss = job.Recipe.Loss;
        var start = loss.Has(ClassWeights.Start.Name) ? loss.Choice(ClassWeights.Start.Name) : ClassWeights.StartAtRandom;
        if (start == ClassWeights.StartAtRandom) return;
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var before = state.Model.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.clone(), StringComparer.Ordinal);
        try
        {
            var sums = SumsOfClasses(state.Model, job, threads, device, cancel);
            if (start == ClassWeights.StartAtClassMeans) state.Loss.ClassWeights!.BeginAt(sums);
        }
        catch (OperationCanceledException)
        {
            state.Model.LoadWeights(before, "the start");
            throw;
        }
    }

    private static Tensor SumsOfClasses(EmbeddingModel model, TrainingJob job, int threads, Device device, CancellationToken cancel)
    {
        var (recipe, train) = (job.Recipe, job.Train);
        var sampler = new ShuffleSampler(train.Count, recipe.Sampler.Classes!.Value * recipe.Sampler.ImagesPerClass!.Value, recipe.Seed);
        using var pipeline = new BatchPipeline(train, sampler, new Augmentation(), recipe.Seed, firstStep: 0, threads, ahead: 4);
        var sums = zeros([train.ClassNames.Length, model.Spec.EmbeddingSize], ScalarType.Float32, device); // [M, D]
        for (var step = 0; step < sampler.StepsPerEpoch; step++)
        {
            using var scope = NewDisposeScope();
            var batch = pipeline.Next(cancel);
            var pixels = tensor(batch.Pixels, [batch.Count, batch.Shape.Channels, batch.Shape.Height, batch.Shape.Width]).to(device);
            // In training mode, as the model is: each batch is normalised by its own statistics, and their running averages move.
            sums.index_add_(0, tensor(batch.Labels, [batch.Count]).to(device), F.normalize(model.Features(pixels)), 1);
            pipeline.Return(batch);
        }
        return sums;
    }
}
