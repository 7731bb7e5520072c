using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using MassTransit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Registry;

/// <summary>ModelEvaluated in; a registered version out, and the champion alias moved or not.</summary>
public sealed class RegisterModelConsumer(Database database, IArtifactStore store, IOptions<RegistryOptions> options, ILogger<RegisterModelConsumer> logger)
    : IConsumer<ModelEvaluated>
{
    public const string Champion = "champion";

    public async Task Consume(ConsumeContext<ModelEvaluated> context)
    {
        var message = context.Message;
        var cancel = context.CancellationToken;
        var run = await database.Run(message.RunId, cancel) ?? throw new PermanentException($"There is no run {message.RunId}.");
        if (!IsOwed(run, message)) return;
        var model = message.Dataset;
        // The number is taken first, so that a repeated delivery writes the same objects again instead of others beside them.
        var version = await database.Write(transaction => TakeNumber(transaction, model, message), cancel);
        try
        {
            var parts = await CopyParts(run, model, version, message, cancel);
            await database.Once(context, this, (transaction, evaluated) => Register(transaction, evaluated, model, version, parts, cancel));
        }
        catch (PermanentException e)
        {
            await database.Write(transaction => Fail(transaction, message, e.Message), cancel);
        }
    }

    /// <summary>Whether the run still waits for this very evaluation: not registered yet, and not judged again since.</summary>
    private static bool IsOwed(RunRow run, ModelEvaluated message) =>
        run.State == "evaluated" && JsonSerializer.Deserialize<ModelEvaluated>(run.EvaluatedJson!, ContractJson.Compact)!.Evaluation == message.Evaluation;

    private static async Task<int> TakeNumber(Transaction transaction, string model, ModelEvaluated message)
    {
        await transaction.Execute(
            """
            insert into model_versions (model, version, run_id, state, dataset, dataset_version, created_at)
            select @model, coalesce(max(version), 0) + 1, @RunId, 'pending', @Dataset, @DatasetVersion, @now from model_versions where model = @model
            on conflict do nothing
            """,
            new { model, message.RunId, message.Dataset, message.DatasetVersion, now = Database.Now });
        return await transaction.QueryOne<int>("select version from model_versions where run_id = @RunId", new { message.RunId });
    }

    private sealed record Parts(JsonObject Trained, ArtifactRef Weights, string DatasetContentHash);

    private async Task<Parts> CopyParts(RunRow run, string model, int version, ModelEvaluated message, CancellationToken cancel)
    {
        var trained = JsonSerializer.Deserialize<ModelTrained>(run.TrainedJson!, ContractJson.Compact)!;
        var dataset = await database.DatasetVersion(message.Dataset, message.DatasetVersion, cancel)
            ?? throw new PermanentException($"There is no dataset {message.Dataset} v{message.DatasetVersion}.");
        var weights = await Copy(trained.Weights, ModelFiles.Key(model, version, ModelFiles.Weights), cancel);
        await Copy(message.Evaluation, ModelFiles.Key(model, version, ModelFiles.Evaluation), cancel);

        using var described = new MemoryStream();
        await using (var stream = await store.OpenRead(trained.Model.Key, cancel)) await stream.CopyToAsync(described, cancel);
        RequireUnchanged(trained.Model, Convert.ToHexStringLower(SHA256.HashData(described.ToArray())));
        return new Parts((JsonObject)JsonNode.Parse(described.ToArray())!, weights, dataset.Manifest.ContentHash);
    }

    private async Task<ArtifactRef> Copy(ArtifactRef source, string key, CancellationToken cancel)
    {
        await using var content = await store.OpenRead(source.Key, cancel);
        var copy = await store.Put(key, content, cancel);
        RequireUnchanged(source, copy.Sha256);
        return copy;
    }

    private static void RequireUnchanged(ArtifactRef source, string sha256)
    {
        if (sha256 != source.Sha256)
            throw new PermanentException(
                $"{source.Key} has changed since it was written: its SHA-256 is {sha256}, not {source.Sha256}. Resume the run to write it again.");
    }

    private async Task Register(Transaction transaction, ModelEvaluated message, string model, int version, Parts parts, CancellationToken cancel)
    {
        var run = await transaction.QueryOne<RunRow>("select * from runs where id = @RunId", new { message.RunId });
        if (run is null || !IsOwed(run, message)) return;

        var current = await transaction.QueryOne<int?>("select version from aliases where model = @model and alias = @Champion", new { model, Champion });
        var comparable = await Comparable(transaction, model, current, message);
        if (current is not null && comparable is null)
        {
            // Another version became champion while this one was judged: they must meet on the same test split first.
            logger.JudgedAgain(message.RunId, current.Value);
            await transaction.Execute("update runs set state = 'trained', evaluated_json = null where id = @RunId", new { message.RunId });
            await transaction.Requeue("evaluate", message.RunId);
            return;
        }

        // The small document is written inside the transaction: only here is it known which champion the version met, and no other
        // delivery can write another one beside it.
        var document = ModelDocument.Compose(model, version, parts.Trained, message, parts.Weights, parts.DatasetContentHash, current)
            .ToJsonString(ContractJson.Indented);
        using (var content = new MemoryStream(Encoding.UTF8.GetBytes(document)))
            await store.Put(ModelFiles.Key(model, version, ModelFiles.Document), content, cancel);
        var row = new { model, version, message.RunId, document, alias = Champion, now = Database.Now };
        var decision = PromotionPolicy.Decide(options.Value.PromotionMetric, message.Metrics, comparable);
        await transaction.Execute("update model_versions set state = 'ready', model_json = @document where model = @model and version = @version", row);
        foreach (var (name, value) in message.Metrics)
            await transaction.Execute(
                "insert into model_metrics (model, version, name, value) values (@model, @version, @name, @value)", new { model, version, name, value });
        await transaction.Execute(
            """
            insert into alias_history (model, alias, version, previous_version, promoted, reason, decided_at)
            values (@model, @alias, @version, @current, @Promote, @Reason, @now)
            """,
            new { model, alias = Champion, version, current, decision.Promote, decision.Reason, now = Database.Now });
        await transaction.Publish(new ModelRegistered(model, version, message.RunId, message.Metrics));
        if (decision.Promote)
        {
            await transaction.Execute(
                "insert into aliases (model, alias, version) values (@model, @alias, @version) on conflict (model, alias) do update set version = excluded.version", row);
            await transaction.Publish(new ModelPromoted(model, version, Champion, current, message.RunId, decision.Reason));
        }
        else
        {
            await transaction.Publish(new PromotionRefused(model, version, Champion, current, message.RunId, decision.Reason));
        }
        await transaction.Execute("update runs set state = 'registered', finished_at = @now where id = @RunId", row);
        logger.Registered(model, version, message.RunId, decision.Reason);
    }

    /// <summary>Repeating would not cure it: the run fails with the reason, and whoever resumes it starts over.</summary>
    private static async Task Fail(Transaction transaction, ModelEvaluated message, string reason)
    {
        var error = $"the registration failed: {reason}";
        var failed = await transaction.Execute(
            "update runs set state = 'failed', error = @error, finished_at = @now where id = @RunId and state = 'evaluated'",
            new { message.RunId, error, now = Database.Now });
        if (failed == 1) await transaction.Publish(new TrainingFailed(message.RunId, message.Dataset, message.DatasetVersion, error));
    }

    /// <summary>The champion's metrics on the split that judged the challenger, or null when there are none yet.</summary>
    private static async Task<ChampionOnSameSplit?> Comparable(Transaction transaction, string model, int? champion, ModelEvaluated message)
    {
        if (champion is null) return null;
        if (message.Champion?.Version == champion) return message.Champion;
        var judgedOn = await transaction.QueryOne<int>(
            "select dataset_version from model_versions where model = @model and version = @champion", new { model, champion });
        return judgedOn == message.DatasetVersion
            ? new ChampionOnSameSplit(champion.Value, await transaction.Metrics(model, champion.Value))
            : null;
    }
}
