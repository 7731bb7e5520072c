using DmlPipeline.Learning.Data;
using DmlPipeline.Torch;

namespace DmlPipeline.Learning.Training;

/// <summary>The batches of a run, from the step that it stands at: what is drawn, and at each of the sampler's epochs what its mining is told.</summary>
internal sealed class TrainingBatches : IDisposable
{
    private readonly TrainingJob job;
    private readonly TrainingState state;
    private readonly IBatchSampler sampler;
    private BatchPipeline pipeline;
    private TimeSpan waitedBefore;

    public TrainingBatches(TrainingJob job, TrainingState state)
    {
        (this.job, this.state) = (job, state);
        sampler = SamplerOfRecipe.Make(job.Recipe, job.Train, job.Old);
        Share = new BatchShare(job.Group, sampler.BatchSize, job.Recipe.MicroBatch, job.Recipe.Seed);
        if (sampler is SmartMiningSampler told) state.Neighbours!.TellTo(told);
        pipeline = Prepare();
    }

    /// <summary>What this process embeds of each.</summary>
    public BatchShare Share { get; }

    public int StepsPerEpoch => sampler.StepsPerEpoch;

    /// <summary>How long batches have been waited for in all.</summary>
    public TimeSpan Waited => waitedBefore + pipeline.Waited;

    /// <summary>Decoding and augmenting threads that leave torch its own.</summary>
    public static int Workers(TrainingJob job) => Math.Max(1, (job.Threads ?? Environment.ProcessorCount) / 2);

    /// <summary>The batch of the next step.</summary>
    public Batch Next(CancellationToken cancel)
    {
        if (MiningIsDue)
        {
            // It works ahead: what it has prepared of the next epoch is thrown away.
            pipeline.Dispose();
            waitedBefore += pipeline.Waited;
            Mine();
            pipeline = Prepare();
        }
        return pipeline.Next(cancel);
    }

    public void Return(Batch batch) => pipeline.Return(batch);

    public void Dispose() => pipeline.Dispose();

    // An epoch of the sampler, which the recipe's steps_per_epoch need not be.
    private bool MiningIsDue => state.Neighbours is not null && state.Position.Step / sampler.StepsPerEpoch > state.Position.MinedEpochs;

    private void Mine()
    {
        state.Neighbours!.Refresh(job.Group);
        state.Neighbours.TellTo((SmartMiningSampler)sampler);
        state.Position.MinedEpochs = state.Position.Step / sampler.StepsPerEpoch;
    }

    private BatchPipeline Prepare() =>
        new(job.Train, sampler, job.Recipe.Augmentation!, job.Recipe.Seed, state.Position.Step, Workers(job), ahead: 4, Share.Rows);
}
