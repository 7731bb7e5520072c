using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Models;
using DmlPipeline.Learning.Recipes;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Training;

/// <summary>What every process of a run makes of its job.</summary>
internal static class TrainingStart
{
    /// <returns>The job with what its recipe does to the images, the state before the first step, and where it lies.</returns>
    public static (TrainingJob Job, TrainingState State, Device Device) Make(TrainingJob job)
    {
        if (job.Train.ClassNames.Length < 2)
            throw new ArgumentException($"Training needs at least 2 classes to tell apart; the training set has {job.Train.ClassNames.Length}.");
        var spec = SpecOfRecipe.Of(job.Recipe, job.Train);
        if (job.Recipe.Augmentation!.TurnedClasses is > 0 and var ways) job = job with { Train = job.Train.WithTurnedClasses(ways) };
        var threads = job.Threads ?? job.Recipe.Threads;
        set_num_threads(threads == 0 ? Environment.ProcessorCount : threads);
        if (job.Recipe.Precision == Precision.Tf32) backends.cuda.matmul.allow_tf32 = true;
        var device = new Device(job.Device ?? (cuda.is_available() ? "cuda" : "cpu"));
        var state = new TrainingState(job.Recipe, spec, job.Train.ImagesPerClass, device);
        job.Group.SynchroniseBatchNorm(state.Model);
        return (job, state, device);
    }
}
