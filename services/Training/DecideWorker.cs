using DmlPipeline.Hosting;
using DmlPipeline.Learning.Evaluation.Drift;
using DmlPipeline.Storage;
using Microsoft.Extensions.Logging;

namespace DmlPipeline.Training;

/// <param name="Version">The dataset version whose new images were measured.</param>
/// <param name="Champion">The champion that looked at them.</param>
/// <param name="Report">Null when it cannot be known.</param>
/// <param name="Unknown">Why not.</param>
internal sealed record MeasuredDrift(int Version, int? Champion, DriftReport? Report, string? Unknown);

/// <summary>Decides what could not be decided when it was asked: after a debounce or a cool-down, or once drift is measured.</summary>
public sealed class DecideWorker(Database database, TrainingDecisions decisions, DriftMeasurement drift, TimeProvider clock, ILogger<DecideWorker> logger) : JobWorker(database, Kind, logger)
{
    public const string Kind = "decide";

    protected override async Task Run(LeasedJob job, CancellationToken cancel)
    {
        var question = await Database.QueryOne<DecisionRow>("select * from training_decisions where id = @Subject", new { job.Subject }, cancel)
            ?? throw new PermanentException($"Nothing is to be decided about {job.Subject}.");
        MeasuredDrift? measured = null;
        while (true)
        {
            var (decision, facts, rules) = await Database.Write(async transaction =>
            {
                var asked = await decisions.Ask(transaction, question, forced: false, measured);
                if (asked.Decision.Verdict is Verdict.Train or Verdict.Decline) await transaction.Finish(job);
                return asked;
            }, cancel);
            if (decision.Until is { } until) throw new PostponedException(Max(until - clock.GetUtcNow(), TimeSpan.FromSeconds(1)), decision.Reason);
            if (decision.Verdict != Verdict.MeasureDrift) return;
            measured = await drift.Measure(question.Dataset, facts, rules.DriftAlpha, cancel);
        }
    }

    protected override Task OnFailed(Transaction transaction, LeasedJob job, string error) =>
        transaction.Execute(
            "update training_decisions set state = 'decided', reason = @reason, decided_at = @now where id = @Subject",
            new { job.Subject, reason = $"no decision was possible: {error}", now = clock.GetUtcNow().ToUnixTimeMilliseconds() });

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
