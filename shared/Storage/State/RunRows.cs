using DmlPipeline.Contracts;
using DmlPipeline.Storage.Work;

namespace DmlPipeline.Storage.State;

/// <summary>A training run, from the request to the registered version.</summary>
public sealed record RunRow
{
    public required string Id { get; init; }
    public required string Dataset { get; init; }
    public required int DatasetVersion { get; init; }
    public required string RecipeJson { get; init; }
    public required string RecipeHash { get; init; }
    public required string RequestedBy { get; init; }
    public required string Reason { get; init; }

    /// <summary><c>queued</c>, <c>running</c>, <c>trained</c>, <c>evaluated</c>, <c>registered</c>; or <c>failed</c>, <c>cancelled</c>.</summary>
    public required string State { get; init; }

    /// <summary>A <see cref="Contracts.TrainingProgressed"/>.</summary>
    public string? ProgressJson { get; init; }

    /// <summary>A <see cref="Contracts.ModelTrained"/>.</summary>
    public string? TrainedJson { get; init; }

    /// <summary>A <see cref="Contracts.ModelEvaluated"/>.</summary>
    public string? EvaluatedJson { get; init; }

    public string? Error { get; init; }

    /// <summary>A <see cref="Work.JobPriority"/>.</summary>
    public int Priority { get; init; }

    /// <summary>What its worker must have; null for any worker. See <see cref="Work.Needs"/>.</summary>
    public string? Needs { get; init; }

    public required long CreatedAt { get; init; }
    public long? StartedAt { get; init; }
    public long? FinishedAt { get; init; }
}

public static class RunRows
{
    /// <summary>Where a run keeps what it goes on from.</summary>
    public static string CheckpointKey(string runId) => $"runs/{runId}/checkpoints/checkpoint.safetensors";

    /// <summary>
    /// Notes the run that a TrainModel asks for, once. Whoever publishes the message does so in the same transaction: a run that is
    /// written down is owed, whatever becomes of the message.
    /// </summary>
    /// <param name="transaction">Where.</param>
    /// <param name="asked">The command.</param>
    /// <param name="recipeHash">Of its recipe.</param>
    /// <param name="needs">What the recipe asks of the worker, as <see cref="Work.Needs"/> writes it.</param>
    public static Task<int> AddRun(this Transaction transaction, TrainModel asked, string recipeHash, string? needs = null) =>
        transaction.Execute(
            """
            insert into runs (id, dataset, dataset_version, recipe_json, recipe_hash, requested_by, reason, state, priority, needs, created_at)
            values (@RunId, @Dataset, @DatasetVersion, @Recipe, @recipeHash, @RequestedBy, @Reason, 'queued', @priority, @needs, @now) on conflict do nothing
            """,
            new
            {
                asked.RunId, asked.Dataset, asked.DatasetVersion, asked.Recipe, recipeHash, asked.RequestedBy, asked.Reason, needs, now = Database.Now,
                priority = (int)PriorityOf(asked),
            });

    /// <summary>Queues the training of a run that is written down, once.</summary>
    public static async Task EnqueueTraining(this Transaction transaction, string runId)
    {
        var run = await transaction.QueryOne<RunRow>("select * from runs where id = @runId", new { runId });
        if (run is not null) await transaction.Enqueue("train", run.Id, run.Priority, run.Needs, run.Dataset);
    }

    /// <summary>What nobody gave a priority is normal; what a schedule asks for can wait for people.</summary>
    private static JobPriority PriorityOf(TrainModel asked) =>
        asked.Priority is { } name && JobPriorities.Parse(name) is { } given ? given : asked.RequestedBy == "schedule" ? JobPriority.Low : JobPriority.Normal;

    public static async Task<IReadOnlyList<RunRow>> Runs(this Database database, string? dataset, CancellationToken cancel) =>
        [.. await database.Query<RunRow>($"select * from runs {(dataset is null ? "" : "where dataset = @dataset")} order by created_at, id", new { dataset }, cancel)];

    public static Task<RunRow?> Run(this Database database, string id, CancellationToken cancel) =>
        database.QueryOne<RunRow>("select * from runs where id = @id", new { id }, cancel);

    /// <summary>Asks that a run be cancelled: at once when it still waits, after saving a checkpoint when it is under way.</summary>
    /// <returns>The state of the run after asking, or null when there is no such run.</returns>
    public static Task<string?> RequestCancel(this Database database, string runId, CancellationToken cancel) =>
        database.Write(async transaction =>
        {
            var job = new { id = Jobs.Id("train", runId), runId, now = Database.Now };
            // A run that was only just asked for has no job yet; the cancelled one keeps its message from making one.
            var waiting = await transaction.Execute("update jobs set state = 'cancelled', updated_at = @now where id = @id and state = 'queued'", job)
                + await transaction.Execute(
                    """
                    insert into jobs (id, kind, subject, state, priority, needs, share, created_at, updated_at)
                    select @id, 'train', id, 'cancelled', priority, needs, dataset, @now, @now from runs where id = @runId and state = 'queued' on conflict do nothing
                    """, job);
            if (waiting == 1)
            {
                await transaction.Execute("update runs set state = 'cancelled', finished_at = @now, error = 'cancelled before it went on' where id = @runId", job);
                var run = (await transaction.QueryOne<RunRow>("select * from runs where id = @runId", job))!;
                await transaction.Publish(new TrainingCancelled(runId, run.Dataset, run.DatasetVersion, run.StartedAt is null ? null : CheckpointKey(runId)));
            }
            else
                await transaction.Execute("update jobs set cancel_requested = 1, updated_at = @now where id = @id and state = 'leased'", job);
            return await transaction.QueryOne<string>("select state from runs where id = @runId", job);
        }, cancel);

    /// <summary>Queues a cancelled or failed run again: its training goes on from the last checkpoint, a failed evaluation is repeated.</summary>
    /// <returns>False when the run is in no state to be resumed.</returns>
    public static Task<bool> Resume(this Database database, string runId, CancellationToken cancel) =>
        database.Write(async transaction =>
        {
            if (await transaction.QueryOne<string>("select state from runs where id = @runId", new { runId }) is not ("cancelled" or "failed")) return false;
            // A run whose evaluation failed is trained already; training it again would change nothing.
            var evaluates = await transaction.QueryOne<string>(
                "select state from jobs where id = @id", new { id = Jobs.Id("evaluate", runId) }) == "failed";
            if (await transaction.Requeue(evaluates ? "evaluate" : "train", runId) == 0) return false;
            // Weights that are trained anew are judged anew.
            if (!evaluates) await transaction.Execute("delete from jobs where id = @id", new { id = Jobs.Id("evaluate", runId) });
            await transaction.Execute(
                "update runs set state = @state, error = null, finished_at = case @state when 'trained' then finished_at end where id = @runId",
                new { runId, state = evaluates ? "trained" : "queued" });
            return true;
        }, cancel);
}
