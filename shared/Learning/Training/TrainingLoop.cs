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
    private readonly IBatchSampler sampler;
    private readonly TrainingState state;
    private readonly Backpropagation backpropagation;
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
        sampler = SamplerOfRecipe.Make(recipe, job.Train, job.Old);
        backpropagation = new Backpropagation(state.Model, state.Model.Features, state.Loss, recipe.AnchorChunk, recipe.MicroBatch);
        stepsPerEpoch = recipe.StepsPerEpoch ?? sampler.StepsPerEpoch;
        clock = new TrainingClock(job.Clock, state.Position.Seconds);
        log = new EpochLog(job.Folder, state.Position.History);
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
    public static TrainingOutcome Run(TrainingJob job, CancellationToken cancel)
    {
        if (job.Train.ClassNames.Length < 2)
            throw new ArgumentException($"Training needs at least 2 classes to tell apart; the training set has {job.Train.ClassNames.Length}.");
        var spec = SpecOfRecipe.Of(job.Recipe, job.Train);
        if (job.Recipe.Augmentation!.TurnedClasses is > 0 and var ways) job = job with { Train = job.Train.WithTurnedClasses(ways) };
        Directory.CreateDirectory(job.Folder);
        set_num_threads(job.Recipe.Threads == 0 ? Environment.ProcessorCount : job.Recipe.Threads);
        if (job.Recipe.Precision == Precision.Tf32) backends.cuda.matmul.allow_tf32 = true;
        var target = new Device(job.Device ?? (cuda.is_available() ? "cuda" : "cpu"));

        using var start = new TrainingState(job.Recipe, spec, job.Train.ImagesPerClass, target);
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
        return new TrainingLoop(job, start, files, target) { hasCheckpoint = resumed is not null }.Run(cancel);
    }

    private TrainingOutcome Run(CancellationToken cancel)
    {
        if (sampler is SmartMiningSampler told) state.Neighbours!.TellTo(told);
        var pipeline = Pipeline();
        var waited = TimeSpan.Zero;
        try
        {
            if (Position is { Step: 0, IsPrepared: false })
            {
                FirstPass.Run(state, job, Workers, device, cancel);
                Position.IsPrepared = true;
            }
            while (true)
            {
                if (EpochIsDue) EndEpoch(cancel);
                if (Progress >= 1 || Position.StoppedEarly) return Finish();
                if (MiningIsDue)
                {
                    pipeline.Dispose();
                    waited += pipeline.Waited;
                    Mine();
                    pipeline = Pipeline();
                }
                var batch = pipeline.Next(cancel);
                Learn(batch);
                pipeline.Return(batch);
                Position.Step++;
                clock.Count(batch.Count, waited + pipeline.Waited);
                if (clock.SecondsSinceCheckpoint >= job.CheckpointEvery.TotalSeconds) Save();
                else if (clock.IsTimeToReport()) Report();
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // Thrown only before a step or between two, and before a validation is noted: the position is whole.
            Save();
            return new TrainingOutcome(TrainingEnd.Cancelled, null, checkpoints.Newest, Position.Best, Position.History, Position.Seconds);
        }
        finally
        {
            pipeline.Dispose();
        }
    }

    private BatchPipeline Pipeline() => new(job.Train, sampler, recipe.Augmentation!, recipe.Seed, Position.Step, Workers, ahead: 4);

    // An epoch of the sampler, which the recipe's steps_per_epoch need not be. The pipeline works ahead: what it has prepared of the next one is thrown away.
    private bool MiningIsDue => state.Neighbours is not null && Position.Step / sampler.StepsPerEpoch > Position.MinedEpochs;

    private void Mine()
    {
        state.Neighbours!.Refresh();
        state.Neighbours.TellTo((SmartMiningSampler)sampler);
        Position.MinedEpochs = Position.Step / sampler.StepsPerEpoch;
    }

    private void Learn(Batch batch)
    {
        using var scope = NewDisposeScope();
        var progress = Progress;
        var factor = Schedule.LearningRateFactor(recipe, progress);
        state.SetLearningRate(factor);
        state.FreezeBackbone(progress < recipe.Schedule.FreezeBackbone);
        state.Loss.Heat = Schedule.LossScaleFactor(recipe, progress);
        state.Loss.Progress = Math.Clamp(progress, 0, 1);

        var pixels = tensor(batch.Pixels, [batch.Count, batch.Shape.Channels, batch.Shape.Height, batch.Shape.Width]).to(device);
        var labels = tensor(batch.Labels, [batch.Count]).to(device);
        state.Optimiser.ZeroGrad();
        var learnt = backpropagation.Run(pixels, labels);
        var loss = learnt.Loss;
        if (!double.IsFinite(loss)) throw Diverged(batch, factor, loss, gradientNorm: null);
        var norm = GradientNorm.Clip(state.Gradients, recipe.ClipGradient);
        if (!double.IsFinite(norm)) throw Diverged(batch, factor, loss, norm);
        state.Step();
        state.Loss.AfterStep(LossInput.Batch(learnt.Features, labels));
        state.Neighbours?.Add(learnt.Features, labels);
        if (Position.LossCount % DiagnoseEvery == 0) Diagnose(learnt, labels);

        Position.LossSum += loss;
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

    private TrainingDivergedException Diverged(Batch batch, double factor, double loss, double? gradientNorm) =>
        new(new DivergedStep(Position.Step, (int)(Position.Step / stepsPerEpoch) + 1, recipe.Optimiser.LearningRate * factor, loss, gradientNorm,
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

    private static int Workers => Math.Max(1, Environment.ProcessorCount / 2);
}
