namespace DmlPipeline.Learning.Training;

/// <summary>Trains along with rank 0 of a group, which decides, judges and writes everything: another process's part of the same run.</summary>
public static class TrainingFollower
{
    /// <summary>Returns when rank 0 says that the run has ended. Asked to stop, it stops all of them before the next step.</summary>
    /// <param name="job">The same recipe and training images as rank 0's. Nothing is written to its folder.</param>
    /// <param name="cancel">Stops the whole group; rank 0 saves a checkpoint.</param>
    /// <exception cref="Torch.ProcessGroupException">Another process has stopped.</exception>
    public static void Run(TrainingJob job, CancellationToken cancel)
    {
        if (job.Group.Rank == 0) throw new ArgumentException("Rank 0 leads a training: it runs the training loop.", nameof(job));
        var (prepared, state, device) = TrainingStart.Make(job);
        using (state)
        {
            SharedStart.Exchange(prepared.Group, state);
            using var batches = new TrainingBatches(prepared, state);
            var step = new TrainingStep(prepared, state, device, batches.Share);
            var lockstep = new Lockstep(prepared.Group);
            if (state.Position is { Step: 0, IsPrepared: false } && !FirstPass.Run(state, prepared, device, lockstep, cancel)) return;
            while (true)
            {
                var batch = batches.Next(lockstep.Interrupts(cancel));
                if (lockstep.Follow(cancel) is not { } progress) return;
                if (step.Learn(batch, progress) is { } wrong)
                    throw new TrainingDivergedException(new DivergedStep(
                        batch.Step, 0, state.Optimiser.Groups[0].LearningRate, wrong.Loss, wrong.GradientNorm, [.. batch.Labels], LastCheckpoint: null));
                batches.Return(batch);
                state.Position.Step++;
            }
        }
    }
}
