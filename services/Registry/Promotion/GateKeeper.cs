using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Comparisons;
using DmlPipeline.Registry.Gates;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Registry.Promotion;

/// <summary>A decision, and the state that it was made on; it holds only as long as that.</summary>
/// <param name="Champion">The champion at that time.</param>
/// <param name="Verdicts">How much had been said about the version.</param>
/// <param name="Rule">By which it was decided.</param>
/// <param name="Decision">What was decided.</param>
/// <param name="Comparison">Where the values of single queries are.</param>
internal sealed record Judgement(int? Champion, int Verdicts, GateRule Rule, GateDecision Decision, ArtifactRef? Comparison);

/// <summary>The champion has changed, or somebody has said something, since the decision: it is to be made again.</summary>
internal sealed class JudgementStaleException() : Exception("The state changed while the gate decided.");

/// <summary>Gathers what the gate needs, and does what it decides.</summary>
internal sealed class GateKeeper(Database database, IArtifactStore store)
{
    public const string Gate = "gate";

    private const string ApprovalName = "approval";

    /// <summary>Decides on a version as things stand now.</summary>
    /// <returns>Null when the champion has not been judged on the same images: the version must be judged again beside it.</returns>
    public async Task<Judgement?> Judge(
        string model, int version, GateRule rule, IReadOnlyDictionary<string, double> metrics, ArtifactRef? comparison, CancellationToken cancel)
    {
        var champion = (await database.ModelVersion(model, AliasNames.Champion, cancel))?.Version;
        var compared = comparison is null ? null : await Read(comparison, cancel);
        if (champion is { } other && compared?.Champion != other) compared = await Against(model, other, compared, cancel);
        if (champion is not null && compared is null) return null;

        var verdicts = await database.Verdicts(model, version, cancel);
        var checks = verdicts.Where(verdict => verdict.Kind == "check").Reverse().DistinctBy(verdict => verdict.Name, StringComparer.Ordinal)
            .Select(verdict => new NamedCheck(verdict.Name, verdict.Passed, $"{verdict.Why} ({verdict.SaidBy})")).ToList();
        var facts = new GateFacts(champion, metrics, compared, checks, verdicts.LastOrDefault(verdict => verdict.Kind == ApprovalName)?.Passed);
        return new Judgement(champion, verdicts.Count, rule, PromotionGate.Decide(rule, facts), comparison);
    }

    /// <summary>Writes the decision down and does what it says.</summary>
    /// <param name="transaction">Of whatever made it necessary to decide.</param>
    /// <param name="model">Model name.</param>
    /// <param name="version">The challenger.</param>
    /// <param name="judgement">What was decided, on which state.</param>
    /// <param name="by">Whose word settled it: <see cref="Gate"/>, or a person's.</param>
    /// <exception cref="JudgementStaleException">The state is another now; nothing may be committed.</exception>
    public static async Task Apply(Transaction transaction, string model, int version, Judgement judgement, string by)
    {
        var verdicts = await transaction.QueryOne<int>("select count(*) from model_verdicts where model = @model and version = @version", new { model, version });
        if (await transaction.PointsAt(model, AliasNames.Champion) != judgement.Champion || verdicts != judgement.Verdicts) throw new JudgementStaleException();
        var (decision, champion) = (judgement.Decision, judgement.Champion);
        await transaction.Execute(
            """
            insert into gate_decisions (model, version, champion, outcome, rule_json, rule_hash, decision_json, comparison_json, decided_at)
            values (@model, @version, @champion, @outcome, @rule, @hash, @decision, @comparison, @now)
            """,
            new
            {
                model, version, champion, outcome = decision.Outcome.ToString().ToLowerInvariant(), rule = judgement.Rule.ToJson(), hash = judgement.Rule.Hash(),
                decision = decision.ToJson(), comparison = judgement.Comparison is null ? null : JsonSerializer.Serialize(judgement.Comparison, ContractJson.Compact), now = Database.Now,
            });
        var run = (await transaction.QueryOne<string>("select run_id from model_versions where model = @model and version = @version", new { model, version }))!;
        var byPerson = by != Gate;
        switch (decision.Outcome)
        {
            case GateOutcome.Promote:
                await transaction.Take(model, AliasNames.Challenger, version, "removed", by, "it is the champion now");
                await transaction.Move(model, AliasNames.Champion, version, byPerson ? "approved" : "promoted", by, decision.Reason);
                break;
            case GateOutcome.Wait:
                await transaction.Note(model, AliasNames.Champion, version, champion, promoted: false, "waiting", by, decision.Reason);
                if (await transaction.PointsAt(model, AliasNames.Challenger) != version) await transaction.Move(model, AliasNames.Challenger, version, "moved", Gate, decision.Reason);
                await transaction.Publish(new PromotionWaiting(model, version, AliasNames.Champion, champion, run, decision.Reason));
                break;
            default:
                await transaction.Take(model, AliasNames.Challenger, version, "removed", by, decision.Reason);
                await transaction.Note(model, AliasNames.Champion, version, champion, promoted: false, byPerson ? "rejected" : "refused", by, decision.Reason);
                await transaction.Publish(new PromotionRefused(model, version, AliasNames.Champion, champion, run, decision.Reason));
                break;
        }
    }

    /// <summary>Lets the version be judged again, beside the champion of today.</summary>
    public static async Task SendBack(Transaction transaction, string runId)
    {
        await transaction.Execute("update runs set state = 'trained', evaluated_json = null where id = @runId", new { runId });
        await transaction.Requeue("evaluate", runId);
    }

    /// <summary>Two versions that were judged on the same images, each beside a former champion, can be compared without embedding anything again.</summary>
    private async Task<ModelComparison?> Against(string model, int champion, ModelComparison? compared, CancellationToken cancel)
    {
        if (compared is null || (await database.GateDecisions(model, champion, cancel)).LastOrDefault()?.ComparisonJson is not { } recorded) return null;
        return compared.Against(champion, await Read(JsonSerializer.Deserialize<ArtifactRef>(recorded, ContractJson.Compact)!, cancel));
    }

    private async Task<ModelComparison> Read(ArtifactRef reference, CancellationToken cancel)
    {
        await using var stream = await store.OpenRead(reference.Key, cancel);
        return (await JsonSerializer.DeserializeAsync<ModelComparison>(stream, ContractJson.Compact, cancel))!;
    }
}
