using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Hosting;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;
using DmlPipeline.Learning.Weights;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using DmlPipeline.Storage.Work;
using DmlPipeline.Torch;
using DmlPipeline.Training.Processes;
using MassTransit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Training;

/// <summary>Trains one run at a time on its own torch thread. Killed, moved or cancelled, a run goes on from its last checkpoint.</summary>
public sealed class TrainingWorker(
    Database database, IArtifactStore store, IBus bus, IOptions<TrainingOptions> options, ILogger<TrainingWorker> logger,
    GroupMembership? membership = null, CompanionCommand? companions = null)
    : JobWorker(database, Kind, logger)
{
    public const string Kind = "train";

    protected override IReadOnlyList<WorkerDevice> Devices => TrainingDevices.Of(options.Value);

    protected override GivingWay? GivesWay => new() { Undisturbed = TimeSpan.FromSeconds(options.Value.UndisturbedSeconds) };

    protected override async Task Run(LeasedJob job, CancellationToken cancel)
    {
        var run = await Database.Run(job.Subject, cancel) ?? throw new PermanentException($"There is no run {job.Subject}.");
        await Database.Write(transaction => transaction.Execute(
            "update runs set state = 'running', started_at = coalesce(started_at, @now), error = null where id = @Id", new { run.Id, now = Database.Now }), cancel);
        var recipe = RecipeFile.Parse(run.RecipeJson, $"the recipe of run {run.Id}");
        using var folder = RunFolder.Open(store, run.Id, options.Value.WorkFolder, () => Database.IsHeld(job, CancellationToken.None));
        await folder.Fetch(cancel);

        TrainingOutcome outcome;
        int processes;
        using (var dataset = await DatasetReader.Open(store, run.Dataset, run.DatasetVersion, cancel))
        await using (var progress = new LatestReport<TrainingProgress>(report => Report(run.Id, report)))
        using (var thread = new TorchThread(recipe.Threads))
        using (var group = await thread.Run(() => RunGroup.Open(run, recipe, options.Value.Processes, Device, membership, companions, logger, cancel)))
        using (var train = RunImages.Load(dataset, SplitNames.Train, recipe, options.Value.ImageCacheBytes, cancel) ?? throw new PermanentException($"{run.Dataset} v{run.DatasetVersion} has no training images."))
        using (var validation = RunImages.Load(dataset, SplitNames.Validation, recipe, options.Value.ImageCacheBytes, cancel))
        {
            var training = new TrainingJob
            {
                Recipe = recipe,
                Train = train,
                Validation = validation,
                Folder = folder.Local,
                Device = Device,
                PretrainedFile = await FromStore(recipe.Pretrained, cancel),
                WarmStartFile = await FromStore(recipe.WarmStart?.Weights, cancel),
                Old = recipe.WarmStart is { Replay: not null, TrainedOn: { } version } ? await OldImages.Of(store, dataset, version, cancel) : null,
                Group = group.Processes,
                Threads = group.Threads,
                PretrainedLoaded = report => logger.Pretrained(run.Id, report.ToText()),
                Progressed = progress.Report,
                CheckpointSaved = _ =>
                {
                    folder.Upload();
                    Database.MadeProgress(job, CancellationToken.None).GetAwaiter().GetResult();
                },
            };
            outcome = await Train(thread, training, cancel);
            processes = group.Processes.Size;
        }
        await folder.UploadAll(CancellationToken.None);
        if (outcome.End == TrainingEnd.Cancelled)
        {
            cancel.ThrowIfCancellationRequested();
            throw new PostponedException(TimeSpan.FromSeconds(10), "another process of its group was asked to stop; the run goes on from its checkpoint");
        }

        var (weights, model) = await folder.Publish(run, recipe, outcome, Device, processes, cancel);
        var trained = new ModelTrained(run.Id, run.Dataset, run.DatasetVersion, weights, model);
        await Database.Write(async transaction =>
        {
            await transaction.Finish(job);
            await transaction.Execute(
                "update runs set state = 'trained', trained_json = @trained, finished_at = @now where id = @Id",
                new { run.Id, trained = JsonSerializer.Serialize(trained, ContractJson.Compact), now = Database.Now });
            await transaction.Publish(trained);
        }, CancellationToken.None);
        folder.DeleteLocal();
    }

    protected override async Task OnFailed(Transaction transaction, LeasedJob job, string error)
    {
        var run = await End(transaction, job, "failed", error);
        await transaction.Publish(new TrainingFailed(run.Id, run.Dataset, run.DatasetVersion, error));
    }

    protected override async Task OnCancelled(Transaction transaction, LeasedJob job)
    {
        var run = await End(transaction, job, "cancelled", "cancelled; its checkpoint is kept");
        await transaction.Publish(new TrainingCancelled(run.Id, run.Dataset, run.DatasetVersion, RunRows.CheckpointKey(run.Id)));
    }

    protected override Task OnGaveWay(Transaction transaction, LeasedJob job) =>
        transaction.Execute("update runs set state = 'queued' where id = @Subject and state = 'running'", new { job.Subject });

    private static async Task<RunRow> End(Transaction transaction, LeasedJob job, string state, string error)
    {
        await transaction.Execute("update runs set state = @state, error = @error, finished_at = @now where id = @Subject", new { job.Subject, state, error, now = Database.Now });
        return (await transaction.QueryOne<RunRow>("select * from runs where id = @Subject", new { job.Subject }))!;
    }

    private async Task Report(string runId, TrainingProgress progress)
    {
        var message = new TrainingProgressed(
            runId, progress.Epoch, progress.Step, progress.Fraction, progress.Loss, progress.ValidationRecall1, progress.ImagesPerSecond, progress.SecondsLeft);
        await Database.Write(transaction => transaction.Execute(
            "update runs set progress_json = @json where id = @runId", new { runId, json = JsonSerializer.Serialize(message, ContractJson.Compact) }), CancellationToken.None);
        // A broker that is away must hold up neither the training's end nor the process's: the row has told the same already.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await bus.Publish(message, patience.Token);
    }

    private static async Task<TrainingOutcome> Train(TorchThread thread, TrainingJob training, CancellationToken cancel)
    {
        try
        {
            return await thread.Run(() => TrainingStarts.Run(training, cancel));
        }
        catch (Exception e) when (e is TrainingDivergedException or WeightException)
        {
            // The same numbers would come again, the same file will not fit later: trying again without a change is no remedy.
            throw new PermanentException(e.Message, e);
        }
    }

    private async Task<string?> FromStore(string? weights, CancellationToken cancel)
    {
        try
        {
            return await PretrainedInStore.LocalFile(store, weights, cancel);
        }
        catch (WeightException e)
        {
            throw new PermanentException(e.Message, e);
        }
    }
}
