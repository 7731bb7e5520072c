using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Models;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Weights;
using DmlPipeline.Torch;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Training;

/// <summary>Trains one model. Runs on the calling thread, which should be the one thread that torch work runs on.</summary>
public sealed class TrainingLoop
{
    // The first step of an epoch and every tenth after it say enough.
    private const int DiagnoseEvery = 10;

    private readonly TrainingJob job;
    private readonly TrainingRecipe recipe;
    private readonly TrainingState state;
    private readonly TrainingBatches batches;
    private readonly TrainingStep step;
    private readonly Lockstep lockstep;
    private readonly CheckpointFile checkpoints;
    private readonly TrainingClock clock;
    private readonly EpochLog log;
    private readonly Device device;
    private readonly ImageSet? validation;
    private readonly int stepsPerEpoch;
    private bool hasCheckpoint;

    private TrainingLoop(TrainingJob job, TrainingState state, CheckpointFile checkpoints, Device device)
    {
        (this.job, this.state, this.checkpoints, this.device) = (job, state, checkpoints, device);
        validation = job.Validation is { } set && ValidationScore.IsPossible(set) ? set : null;
        recipe = job.Recipe;
        clock = new TrainingClock(job.Clock, state.Position.Seconds);
        log = new EpochLog(job.Folder, state.Position.History);
        batches = new TrainingBatches(job, state);
        step = new TrainingStep(job, state, device, batches.Share);
        lockstep = new Lockstep(job.Group);
        stepsPerEpoch = recipe.StepsPerEpoch ?? batches.StepsPerEpoch;
    }

    private TrainingPosition Position => state.Position;

    private double Progress => recipe.Budget is { } budget
        ? clock.Seconds / budget.TotalSeconds
        : (double)Position.Step / ((long)recipe.Epochs!.Value * stepsPerEpoch);

    /// <summary>The epoch that the last step belonged to, from 1.</summary>
    private int Epoch => Math.Max(1, (int)((Position.Step + stepsPerEpoch - 1) / stepsPerEpoch));

    // Asked of the position, not of the step just made: a run cancelled between an epoch's last step and its validation validates when it resumes.
    private bool EpochIsDue =>
        Position.Step > (Position.History.LastOrDefault()?.Step ?? 0) && (Position.Step % stepsPerEpoch == 0 || Progress >= 1);

    /// <summary>Trains from the start or from the checkpoint in the job's folder, until the epochs or the budget are used up.</summary>
    /// <exception cref="TrainingDivergedException">The loss or a gradient became NaN or infinite.</exception>
    /// <exception cref="WeightException">The pretrained weights cannot be read, or are another network's.</exception>
    /// <exception cref="InvalidDataException">The folder's checkpoints are broken or belong to another recipe.</exception>
    /// <exception cref="ProcessGroupException">The group's other processes are lost; the last checkpoint is sound.</exception>
    public static TrainingOutcome Run(TrainingJob job, CancellationToken cancel)
    {
        if (job.Group.Rank != 0) throw new ArgumentException($"Rank {job.Group.Rank} follows: rank 0 runs the training loop.", nameof(job));
        var (prepared, fresh, target) = TrainingStart.Make(job);
        using var start = fresh;
        Directory.CreateDirectory(job.Folder);
        var files = new CheckpointFile(job.Folder);
        var resumed = files.Load();
        if (resumed is { } saved)
        {
            start.Restore(saved.Tensors, saved.Position);
            foreach (var tensor in saved.Tensors.Values) tensor.Dispose();
        }
        else if (job.Recipe.Pretrained is { } weights)
        {
            var report = PretrainedWeights.Load(start.Model, job.PretrainedFile ?? weights, SpecOfRecipe.NormalisationOf(job.Recipe) == Normalisation.Caffe);
            start.Position.PretrainedSha256 = report.Sha256;
            job.PretrainedLoaded?.Invoke(report);
        }
        else if (job.Recipe.WarmStart is { } warm)
        {
            start.Position.PretrainedSha256 = WarmStart.Load(start.Model, job.WarmStartFile ?? warm.Weights);
        }
        SharedStart.Exchange(job.Group, start);
        return new TrainingLoop(prepared, start, files, target) { hasCheckpoint = resumed is not null }.Run(cancel);
    }

    private TrainingOutcome Run(CancellationToken cancel)
    {
        try
        {
            if (Position is { Step: 0, IsPrepared: false })
            {
                FirstPass.Run(state, job, device, lockstep, cancel);
                Position.IsPrepared = true;
            }
            while (true)
            {
                if (EpochIsDue) EndEpoch(cancel);
                if (Progress >= 1 || Position.StoppedEarly)
                {
                    lockstep.End();
                    return Finish();
                }
                var batch = batches.Next(cancel);
                var progress = Progress;
                lockstep.Begin(progress);
                if (step.Learn(batch, progress, Notice) is { } wrong) throw Diverged(batch, wrong);
                batches.Return(batch);
                Position.Step++;
                clock.Count(batch.Count, batches.Waited);
                if (clock.SecondsSinceCheckpoint >= job.CheckpointEvery.TotalSeconds) Save();
                else if (clock.IsTimeToReport()) Report();
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested || lockstep.IsAskedToStop)
        {
            // Thrown only before a step or between two, and before a validation is noted: the position is whole.
            lockstep.End();
            Save();
            return new TrainingOutcome(TrainingEnd.Cancelled, null, checkpoints.Newest, Position.Best, Position.History, Position.Seconds);
        }
        finally
        {
            batches.Dispose();
        }
    }

    private void Notice(LearntBatch learnt, Tensor labels)
    {
        if (Position.LossCount % DiagnoseEvery == 0) Diagnose(learnt, labels);
        Position.LossSum += learnt.Loss;
        Position.LossCount++;
    }

    private void Diagnose(LearntBatch learnt, Tensor labels)
    {
        var found = LossDiagnostics.Measure(learnt.Features, labels, learnt.Activity);
        Position.ActiveSum += found.ActiveFraction;
        Position.PositiveSum += found.PositiveSimilarity;
        Position.NegativeSum += found.NegativeSimilarity;
        Position.DiagnosedCount++;
    }

    private TrainingDivergedException Diverged(Batch batch, NotFinite wrong) =>
        new(new DivergedStep(Position.Step, (int)(Position.Step / stepsPerEpoch) + 1, state.Optimiser.Groups[0].LearningRate, wrong.Loss, wrong.GradientNorm,
            [.. batch.Labels], hasCheckpoint ? checkpoints.Newest : null));

    private void EndEpoch(CancellationToken cancel)
    {
        var epoch = Epoch;
        ValidationScore? score = null;
        if (validation is not null && (Progress >= 1 || epoch % recipe.ValidateEvery == 0))
            score = ValidationScore.Measure(state.Model, validation, cancel);

        Position.Seconds = clock.Seconds;
        var diagnosed = Math.Max(1, Position.DiagnosedCount);
        var result = new EpochResult(
            epoch, Position.Step, Position.LossSum / Math.Max(1, Position.LossCount),
            Position.ActiveSum / diagnosed, Position.PositiveSum / diagnosed, Position.NegativeSum / diagnosed,
            state.Optimiser.Groups[0].LearningRate, score?.Recall1, score?.MapAtR, clock.Seconds, clock.ImagesPerSecond, clock.WaitedShare);
        Position.History.Add(result);
        log.Add(result);
        Judge(result);
        Report();
        (Position.LossSum, Position.LossCount) = (0, 0);
        (Position.ActiveSum, Position.PositiveSum, Position.NegativeSum, Position.DiagnosedCount) = (0, 0, 0, 0);
        Save();
    }

    private void Judge(EpochResult result)
    {
        if (validation is null)
        {
            Position.Best = result;
            return;
        }
        if (result.ValidationRecall1 is null) return;
        // By MAP@R, which looks at all neighbours that matter: on a few thousand queries, recall@1 jitters by more than an epoch gains, and
        // its luckiest epoch was often an early one. Ties go to the later epoch: it has seen more.
        var better = Position.Best is not { } best
            || (result.ValidationMapAtR, result.ValidationRecall1).CompareTo((best.ValidationMapAtR, best.ValidationRecall1)) >= 0;
        Position.ValidationsSinceBest = better ? 0 : Position.ValidationsSinceBest + 1;
        if (better)
        {
            Position.Best = result;
            state.KeepAsBest();
            SaveModel("best.safetensors");
        }
        Position.StoppedEarly = recipe.EarlyStop > 0 && Position.ValidationsSinceBest >= recipe.EarlyStop;
    }

    private TrainingOutcome Finish()
    {
        state.UseBest();
        var path = SaveModel("model.safetensors");
        var end = Position.StoppedEarly ? TrainingEnd.StoppedEarly : TrainingEnd.Completed;
        return new TrainingOutcome(end, path, checkpoints.Newest, Position.Best, Position.History, Position.Seconds) { PretrainedSha256 = Position.PretrainedSha256 };
    }

    private void Save()
    {
        using var scope = NewDisposeScope();
        Position.Seconds = clock.Seconds;
        Position.Random = TorchRuntime.GetRngState();
        checkpoints.Save(state.Tensors(), Position);
        hasCheckpoint = true;
        clock.CheckpointSaved();
        job.CheckpointSaved?.Invoke(checkpoints.Newest);
    }

    private string SaveModel(string name)
    {
        using var scope = NewDisposeScope();
        var path = Path.Combine(job.Folder, name);
        var origin = new Dictionary<string, string>(StringComparer.Ordinal) { ["recipe"] = Position.RecipeHash };
        if (Position.PretrainedSha256 is { } pretrained) origin["pretrained"] = pretrained;
        state.Model.Save(path + ".tmp", origin);
        File.Move(path + ".tmp", path, overwrite: true);
        return path;
    }

    private void Report() =>
        job.Progressed?.Invoke(new TrainingProgress(
            Epoch, Position.Step, Math.Min(1, Progress),
            Position.LossSum / Math.Max(1, Position.LossCount), Position.History.LastOrDefault(epoch => epoch.ValidationRecall1 is not null)?.ValidationRecall1,
            clock.ImagesPerSecond, clock.SecondsLeft(Progress), clock.WaitedShare));
}
