using System.Text.Json;
using System.Text.RegularExpressions;
using DmlPipeline.Contracts;
using DmlPipeline.Registry.Gates;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Registry.Promotion;

/// <summary>What is asked for cannot be done; the message says why and what can.</summary>
public sealed class PromotionException(string message) : Exception(message);

/// <summary>What people decide about versions: each word is written down with who said it and why, and has its effect at once.</summary>
public sealed partial class PromotionDesk(Database database, IArtifactStore store)
{
    private readonly GateKeeper gate = new(database, store);

    /// <summary>Approves a version: it becomes champion unless the gate still waits for something else.</summary>
    /// <param name="model">Model name.</param>
    /// <param name="which">A version number or an alias.</param>
    /// <param name="by">Who says so.</param>
    /// <param name="why">Why, in a sentence.</param>
    /// <param name="anyway">Also against the gate's refusal, and without another comparison.</param>
    /// <param name="cancel">Ends it; what has been written stays.</param>
    /// <returns>What came of it, in a sentence.</returns>
    /// <exception cref="PromotionException">It cannot be approved.</exception>
    public async Task<string> Approve(string model, string which, string by, string why, bool anyway, CancellationToken cancel)
    {
        var row = await Find(model, which, cancel);
        if (IsChampion(row)) throw new PromotionException($"{Name(row)} is the champion already.");
        if (anyway)
        {
            await database.Write(async transaction =>
            {
                await Say(transaction, row, "approval", "approval", passed: true, by, why);
                await transaction.Take(model, AliasNames.Challenger, row.Version, "removed", by, why);
                await transaction.Move(model, AliasNames.Champion, row.Version, "approved", by, $"{why} (against or without the gate)");
            }, cancel);
            return $"{Name(row)} is the champion, by the word of {by}.";
        }
        if (await LastDecision(row, cancel) is { Outcome: "refuse" } refused)
            throw new PromotionException($"The gate refused {Name(row)}: {GateDecision.FromJson(refused.DecisionJson).Reason}. To make it champion all the same, approve it with anyway.");
        await database.Write(transaction => Say(transaction, row, "approval", "approval", passed: true, by, why), cancel);
        return await JudgeAgain(row, by, cancel);
    }

    /// <summary>Rejects a version that waits, or says in advance that it must not become champion.</summary>
    /// <inheritdoc cref="Approve"/>
    public async Task<string> Reject(string model, string which, string by, string why, CancellationToken cancel)
    {
        var row = await Find(model, which, cancel);
        if (IsChampion(row)) throw new PromotionException($"{Name(row)} is the champion; a rollback puts the one before it back.");
        await database.Write(async transaction =>
        {
            await Say(transaction, row, "approval", "approval", passed: false, by, why);
            await transaction.Take(model, AliasNames.Challenger, row.Version, "removed", by, why);
            var champion = await transaction.PointsAt(model, AliasNames.Champion);
            await transaction.Note(model, AliasNames.Champion, row.Version, champion, promoted: false, "rejected", by, why);
            await transaction.Publish(new PromotionRefused(model, row.Version, AliasNames.Champion, champion, row.RunId, $"{why} ({by})"));
        }, cancel);
        return $"{Name(row)} is rejected.";
    }

    /// <summary>Reports the result of a check that a rule may require.</summary>
    /// <inheritdoc cref="Approve"/>
    public async Task<string> Check(string model, string which, string name, bool passed, string by, string why, CancellationToken cancel)
    {
        if (!CheckName().IsMatch(name)) throw new PromotionException($"'{name}' is no name of a check: use letters, digits, dots, dashes and underscores.");
        var row = await Find(model, which, cancel);
        await database.Write(transaction => Say(transaction, row, "check", name, passed, by, why), cancel);
        var noted = $"{name} {(passed ? "passed" : "failed")} for {Name(row)}.";
        return await LastDecision(row, cancel) is { Outcome: "wait" } && !IsChampion(row) ? $"{noted} {await JudgeAgain(row, GateKeeper.Gate, cancel)}" : noted;
    }

    /// <summary>Puts the champion before this one back, or another version, at once.</summary>
    /// <param name="model">Model name.</param>
    /// <param name="to">A version number; null for the champion before this one.</param>
    /// <param name="by">Who says so.</param>
    /// <param name="why">Why, in a sentence.</param>
    /// <param name="cancel">Ends it before it has happened.</param>
    /// <exception cref="PromotionException">There is nothing to go back to.</exception>
    public Task<string> Rollback(string model, string? to, string by, string why, CancellationToken cancel) => database.Write(async transaction =>
    {
        RequireReason(by, why);
        if (await transaction.PointsAt(model, AliasNames.Champion) is not { } current) throw new PromotionException($"Model '{model}' has no champion, so there is nothing to roll back.");
        // A rollback is no promotion: rolling back twice goes back twice, and not forth again.
        var back = to is null
            ? await transaction.QueryOne<int?>(
                """
                select previous_version from alias_history
                where model = @model and alias = @Champion and version = @current and action in ('promoted', 'approved') and promoted order by id desc limit 1
                """, new { model, AliasNames.Champion, current })
            : int.TryParse(to.TrimStart('v'), out var number) ? number : throw new PromotionException($"'{to}' is no version number.");
        if (back is not { } target) throw new PromotionException($"{model} v{current} was the first champion: there is none before it. Name a version to go to.");
        if (target == current) throw new PromotionException($"{model} v{current} is the champion already.");
        if (await transaction.QueryOne<int>("select count(*) from model_versions where model = @model and version = @target and state = 'ready'", new { model, target }) == 0)
            throw new PromotionException($"Model '{model}' has no version {target}.");
        await transaction.Move(model, AliasNames.Champion, target, "rolled-back", by, why);
        return $"{model} v{target} is the champion again, in place of v{current}.";
    }, cancel);

    /// <summary>Points an alias of one's own, or <c>shadow</c>, at a version.</summary>
    /// <param name="model">Model name.</param>
    /// <param name="which">A version number or another alias.</param>
    /// <param name="alias">Any name but those that the registry moves itself.</param>
    /// <param name="protect">From now on it is not moved without saying so; null leaves that as it is.</param>
    /// <param name="anyway">Also when it is protected.</param>
    /// <param name="by">Who says so.</param>
    /// <param name="why">Why, in a sentence.</param>
    /// <param name="cancel">Ends it before it has happened.</param>
    /// <exception cref="PromotionException">The alias cannot be moved.</exception>
    public async Task<string> SetAlias(string model, string which, string alias, bool? protect, bool anyway, string by, string why, CancellationToken cancel)
    {
        RequireOwn(alias);
        var row = await Find(model, which, cancel);
        await database.Write(async transaction =>
        {
            await RequireFree(transaction, model, alias, anyway);
            RequireReason(by, why);
            await transaction.Move(model, alias, row.Version, "moved", by, why);
            if (protect is { } value) await transaction.Execute("update aliases set protected = @value where model = @model and alias = @alias", new { model, alias, value });
        }, cancel);
        return $"{alias} is {Name(row)} now.";
    }

    /// <summary>Takes an alias away.</summary>
    /// <inheritdoc cref="SetAlias"/>
    public Task<string> RemoveAlias(string model, string alias, bool anyway, string by, string why, CancellationToken cancel) => database.Write(async transaction =>
    {
        RequireOwn(alias);
        RequireReason(by, why);
        await RequireFree(transaction, model, alias, anyway);
        var version = await transaction.PointsAt(model, alias) ?? throw new PromotionException($"Model '{model}' has no alias '{alias}'.");
        await transaction.Take(model, alias, version, "removed", by, why);
        return $"{alias} is removed from {model} v{version}.";
    }, cancel);

    private async Task<string> JudgeAgain(ModelVersionRow row, string by, CancellationToken cancel)
    {
        var answer = "";
        await RegisterModelConsumer.UntilSettled(async () =>
        {
            var last = await LastDecision(row, cancel);
            // By the rule that it was judged by: approving it must not put it before another one.
            var comparison = last?.ComparisonJson is null ? null : JsonSerializer.Deserialize<ArtifactRef>(last.ComparisonJson, ContractJson.Compact);
            var metrics = ModelDocument.Metrics(row.ModelJson);
            var judgement = await gate.Judge(row.Model, row.Version, last is null ? new GateRule() : GateRule.FromJson(last.RuleJson), metrics, comparison, cancel);
            await database.Write(transaction => judgement is null ? GateKeeper.SendBack(transaction, row.RunId) : GateKeeper.Apply(transaction, row.Model, row.Version, judgement, by), cancel);
            answer = judgement switch
            {
                null => $"{Name(row)} has not met the champion of today: it is judged again beside it, and promoted if it passes.",
                { Decision.Outcome: GateOutcome.Promote } => $"{Name(row)} is the champion.",
                { Decision.Outcome: GateOutcome.Wait } => $"{Name(row)} still waits: {judgement.Decision.Reason}.",
                _ => $"The gate refuses {Name(row)}: {judgement.Decision.Reason}.",
            };
        });
        return answer;
    }

    private async Task<ModelVersionRow> Find(string model, string which, CancellationToken cancel) =>
        await database.ModelVersion(model, which, cancel) ?? throw new PromotionException($"There is no version or alias '{which}' of a model '{model}'.");

    private async Task<GateDecisionRow?> LastDecision(ModelVersionRow row, CancellationToken cancel) => (await database.GateDecisions(row.Model, row.Version, cancel)).LastOrDefault();

    private static Task<int> Say(Transaction transaction, ModelVersionRow row, string kind, string name, bool passed, string by, string why)
    {
        RequireReason(by, why);
        return transaction.Say(row.Model, row.Version, kind, name, passed, by, why);
    }

    private static void RequireReason(string by, string why)
    {
        if (string.IsNullOrWhiteSpace(by) || string.IsNullOrWhiteSpace(why)) throw new PromotionException("Who decides, and why, is kept for good: give both.");
        if (by.Length > 200 || why.Length > 2000) throw new PromotionException("Who decides is at most 200 characters, and why at most 2,000.");
    }

    private static void RequireOwn(string alias)
    {
        if (alias is AliasNames.Champion or AliasNames.Challenger)
            throw new PromotionException($"{alias} is moved by the registry alone: approve or reject a version, or roll back.");
        if (!AliasName().IsMatch(alias) || alias == "latest")
            throw new PromotionException($"'{alias}' cannot be an alias: use a letter first, then letters, digits and dashes; not latest, and nothing that reads as a version.");
    }

    private static async Task RequireFree(Transaction transaction, string model, string alias, bool anyway)
    {
        if (!anyway && await transaction.QueryOne<bool?>("select protected from aliases where model = @model and alias = @alias", new { model, alias }) == true)
            throw new PromotionException($"The alias {alias} of {model} is protected: to move it all the same, say anyway.");
    }

    private static bool IsChampion(ModelVersionRow row) => (row.Aliases ?? "").Split(',').Contains(AliasNames.Champion, StringComparer.Ordinal);

    private static string Name(ModelVersionRow row) => $"{row.Model} v{row.Version}";

    [GeneratedRegex(@"^(?!v\d+\z)[A-Za-z][A-Za-z0-9\-]{0,63}\z", RegexOptions.None, matchTimeoutMilliseconds: 200)]
    private static partial Regex AliasName();

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._\-]{0,63}\z", RegexOptions.None, matchTimeoutMilliseconds: 200)]
    private static partial Regex CheckName();
}
