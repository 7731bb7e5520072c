using System.Globalization;
using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Training;

/// <summary>A question whether to train, and once it is decided the answer.</summary>
public sealed record DecisionRow
{
    /// <summary>The version, <c>birds-v3</c>; or the fire, <c>nightly@1772328600000</c>.</summary>
    public required string Id { get; init; }

    public required string Dataset { get; init; }
    public required int Version { get; init; }

    /// <summary><c>new-data</c> or <c>schedule</c>.</summary>
    public required string Cause { get; init; }

    public string? Schedule { get; init; }
    public long? FireTime { get; init; }

    /// <summary>As the schedule names it; empty for the dataset's own, or else the pipeline's.</summary>
    public required string Recipe { get; init; }

    /// <summary><c>waiting</c> or <c>decided</c>.</summary>
    public required string State { get; init; }

    public string? RunId { get; init; }
    public required string Reason { get; init; }
    public long DecidedAt { get; init; }

    public bool IsScheduled => Cause == "schedule";
}

/// <summary>Writes decisions down: one row each, with what the policy saw; and in the same transaction the run and its message, or the job that decides later.</summary>
public sealed class TrainingDecisions(IOptions<TrainingOptions> options, IOptions<PolicySettings> policy, TimeProvider clock, ILogger<TrainingDecisions> logger)
{
    /// <summary>Asks for the first time; the same question asked again changes nothing.</summary>
    public async Task Open(Transaction transaction, DecisionRow question, bool forced)
    {
        var isFirst = await transaction.Execute(
            """
            insert into training_decisions (id, dataset, version, cause, schedule, fire_time, recipe, state, reason, decided_at)
            values (@Id, @Dataset, @Version, @Cause, @Schedule, @FireTime, @Recipe, 'waiting', @Reason, @now) on conflict do nothing
            """,
            new { question.Id, question.Dataset, question.Version, question.Cause, question.Schedule, question.FireTime, question.Recipe, question.Reason, now = Now }) == 1;
        if (!isFirst) return;
        var (decision, _, _) = await Ask(transaction, question, forced, measured: null);
        // What cannot be decided at once is a job: it outlasts this message and this process.
        if (decision.Verdict is Verdict.Wait or Verdict.MeasureDrift) await transaction.Enqueue(DecideWorker.Kind, question.Id);
    }

    /// <summary>Asks the policy, and writes down what it says.</summary>
    /// <param name="transaction">All of it happens in this.</param>
    /// <param name="question">A row that waits.</param>
    /// <param name="forced">Trains, whatever the policy says.</param>
    /// <param name="measured">What is known of drift.</param>
    internal async Task<(RetrainingDecision Decision, RetrainingFacts Facts, PolicySettings Rules)> Ask(Transaction transaction, DecisionRow question, bool forced, MeasuredDrift? measured)
    {
        var (facts, version) = await transaction.Gather(question, forced, clock.GetUtcNow());
        // Measured of another version or under another champion, it would say nothing.
        if (measured is not null && measured.Version == facts.Version && measured.Champion == facts.Champion)
            facts = facts with { Drift = measured.Report, DriftUnknown = measured.Unknown };
        var rules = await transaction.Policy(question.Dataset, policy.Value);
        var decision = RetrainingPolicy.Decide(rules, options.Value.OnNewData, facts);
        TrainModel? train = null;
        if (decision.Verdict == Verdict.Train)
        {
            try
            {
                train = await Asked(transaction, question, rules, version.Manifest, decision.Reason);
            }
            catch (RecipeException e)
            {
                decision = new RetrainingDecision(Verdict.Decline, $"the recipe cannot be used: {e.Message}");
            }
        }
        var state = decision.Verdict is Verdict.Train or Verdict.Decline ? "decided" : "waiting";
        await transaction.Execute(
            "update training_decisions set state = @state, version = @Version, run_id = @RunId, reason = @Reason, facts_json = @facts, decided_at = @now where id = @Id",
            new { question.Id, facts.Version, state, train?.RunId, Reason = train?.Reason ?? decision.Reason, facts = JsonSerializer.Serialize(facts, ContractJson.Compact), now = Now });
        logger.Decided(question.Dataset, facts.Version, decision.Verdict, decision.Reason);
        if (train is not null)
        {
            var recipe = RecipeFile.Parse(train.Recipe, $"the recipe of run {train.RunId}");
            await transaction.AddRun(train, RecipeFile.Hash(recipe), recipe.Needs);
            await transaction.Publish(train);
        }
        return (decision, facts, rules);
    }

    private async Task<TrainModel> Asked(Transaction transaction, DecisionRow question, PolicySettings rules, DatasetManifest manifest, string reason)
    {
        var settings = options.Value;
        var text = question.Recipe.Length > 0 ? question.Recipe : manifest.Recipe ?? settings.Recipe;
        var recipe = RecipeChoice.Resolve(text, manifest, settings.Budget, settings.Seed, settings.Threads);
        var (started, how) = await WarmStart.Choose(transaction, question.Dataset, rules, recipe);
        return new TrainModel(
            RunId(question, manifest.Version), question.Dataset, manifest.Version, RecipeFile.ToCanonicalJson(started), question.Cause, how is null ? reason : $"{reason}; {how}");
    }

    private static string RunId(DecisionRow question, int version)
    {
        if (question.FireTime is not { } fired) return $"{question.Dataset}-v{version}";
        var utc = DateTimeOffset.FromUnixTimeMilliseconds(fired).UtcDateTime.ToString("yyyyMMdd't'HHmmss", CultureInfo.InvariantCulture);
        return question.Schedule == question.Dataset ? $"{question.Dataset}-v{version}-{utc}" : $"{question.Dataset}-v{version}-{question.Schedule}-{utc}";
    }

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();
}
