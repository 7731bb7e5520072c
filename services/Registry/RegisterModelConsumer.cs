using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Registry.Promotion;
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
    private readonly GateKeeper gate = new(database, store);

    public async Task Consume(ConsumeContext<ModelEvaluated> context)
    {
        var message = context.Message;
        var cancel = context.CancellationToken;
        var run = await database.Run(message.RunId, cancel) ?? throw new PermanentException($"There is no run {message.RunId}.");
        if (!IsOwed(run, message)) return;
        var model = message.Dataset;
        var rule = options.Value.RuleOf(model);
        // The number is taken first, so that a repeated delivery writes the same objects again instead of others beside them.
        var version = await database.Write(transaction => TakeNumber(transaction, model, message), cancel);
        try
        {
            var parts = await CopyParts(run, model, version, message, cancel);
            await UntilSettled(async () =>
            {
                // Drawing thousands of samples is no work for an open transaction: the decision is made before, and made again when its ground has moved.
                var judgement = await gate.Judge(model, version, rule, message.Metrics, parts.Comparison, cancel);
                await database.Once(context, this, (transaction, evaluated) => Register(transaction, evaluated, model, version, parts, judgement, cancel));
            });
        }
        catch (PermanentException e)
        {
            await database.Write(transaction => Fail(transaction, message, e.Message), cancel);
        }
    }

    internal static async Task UntilSettled(Func<Task> decide)
    {
        for (var attempts = 1; ; attempts++)
        {
            try
            {
                await decide();
                return;
            }
            catch (JudgementStaleException) when (attempts < MostAttempts)
            {
                // Another version took over in between.
            }
        }
    }

    private const int MostAttempts = 10;

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

    /// <param name="Trained">What training wrote about the model.</param>
    /// <param name="Weights">The registered copy.</param>
    /// <param name="DatasetContentHash">Of the dataset version that it was trained on.</param>
    /// <param name="Comparison">The registered copy of the values of single queries.</param>
    private sealed record Parts(JsonObject Trained, ArtifactRef Weights, string DatasetContentHash, ArtifactRef? Comparison);

    private async Task<Parts> CopyParts(RunRow run, string model, int version, ModelEvaluated message, CancellationToken cancel)
    {
        var trained = JsonSerializer.Deserialize<ModelTrained>(run.TrainedJson!, ContractJson.Compact)!;
        var dataset = await database.DatasetVersion(message.Dataset, message.DatasetVersion, cancel)
            ?? throw new PermanentException($"There is no dataset {message.Dataset} v{message.DatasetVersion}.");
        var weights = await Copy(trained.Weights, ModelFiles.Key(model, version, ModelFiles.Weights), cancel);
        // A version that is judged again beside another champion keeps the evaluation that it was registered with.
        if (await database.ModelVersion(model, $"{version}", cancel) is null) await Copy(message.Evaluation, ModelFiles.Key(model, version, ModelFiles.Evaluation), cancel);
        var comparison = message.Comparison is { } compared ? await Copy(compared, ModelFiles.ComparisonKey(model, version, compared.Sha256), cancel) : null;

        using var described = new MemoryStream();
        await using (var stream = await store.OpenRead(trained.Model.Key, cancel)) await stream.CopyToAsync(described, cancel);
        RequireUnchanged(trained.Model, Convert.ToHexStringLower(SHA256.HashData(described.ToArray())));
        return new Parts((JsonObject)JsonNode.Parse(described.ToArray())!, weights, dataset.Manifest.ContentHash, comparison);
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

    private async Task Register(
        Transaction transaction, ModelEvaluated message, string model, int version, Parts parts, Judgement? judgement, CancellationToken cancel)
    {
        var run = await transaction.QueryOne<RunRow>("select * from runs where id = @RunId", new { message.RunId });
        if (run is null || !IsOwed(run, message)) return;
        if (judgement is null)
        {
            // Another version became champion while this one was judged: they must meet on the same test split first.
            logger.JudgedAgain(message.RunId);
            await GateKeeper.SendBack(transaction, message.RunId);
            return;
        }
        var isNew = await transaction.QueryOne<string>("select state from model_versions where model = @model and version = @version", new { model, version }) != "ready";
        if (isNew) await Write(transaction, message, model, version, parts, judgement, cancel);
        await GateKeeper.Apply(transaction, model, version, judgement, GateKeeper.Gate);
        await transaction.Execute("update runs set state = 'registered', finished_at = @now where id = @RunId", new { message.RunId, now = Database.Now });
        logger.Registered(model, version, message.RunId, judgement.Decision.Reason);
    }

    private async Task Write(Transaction transaction, ModelEvaluated message, string model, int version, Parts parts, Judgement judgement, CancellationToken cancel)
    {
        // The small document is written inside the transaction: only here is it known which champion the version met, and no other
        // delivery can write another one beside it.
        var composed = ModelDocument.Compose(model, version, parts.Trained, message, parts.Weights, parts.DatasetContentHash, judgement.Champion);
        composed["gate"] = new JsonObject
        {
            ["ruleSha256"] = judgement.Rule.Hash(),
            ["rule"] = JsonNode.Parse(judgement.Rule.ToJson()),
            ["decision"] = JsonNode.Parse(judgement.Decision.ToJson()),
        };
        var document = composed.ToJsonString(ContractJson.Indented);
        using (var content = new MemoryStream(Encoding.UTF8.GetBytes(document)))
            await store.Put(ModelFiles.Key(model, version, ModelFiles.Document), content, cancel);
        await transaction.Execute(
            "update model_versions set state = 'ready', model_json = @document where model = @model and version = @version", new { model, version, document });
        foreach (var (name, value) in message.Metrics)
            await transaction.Execute(
                "insert into model_metrics (model, version, name, value) values (@model, @version, @name, @value)", new { model, version, name, value });
        await transaction.Publish(new ModelRegistered(model, version, message.RunId, message.Metrics));
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
}
