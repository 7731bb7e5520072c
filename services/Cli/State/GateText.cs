using DmlPipeline.Cli.Terminal;
using DmlPipeline.Registry.Gates;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Cli.State;

/// <summary>What the gate decided on a version, condition by condition, and what people said.</summary>
internal static class GateText
{
    public static void Print(Screen screen, IReadOnlyList<GateDecisionRow> decisions, IReadOnlyList<VerdictRow> verdicts)
    {
        foreach (var row in decisions)
        {
            var decision = GateDecision.FromJson(row.DecisionJson);
            screen.Line();
            screen.Heading($"the gate {Verb(decision.Outcome)} {Show.Time(row.DecidedAt)}, {(row.Champion is { } champion ? $"against v{champion}" : "without a champion")}, by rule {row.RuleHash[..12]}");
            screen.Table(["  ", "", "condition", "numbers"], decision.Conditions.Select(condition => (string[])["  ", Mark(condition.Outcome), condition.Name, condition.Detail]));
        }
        if (verdicts.Count == 0) return;
        screen.Line();
        screen.Heading("what was said");
        screen.Table(["when", "who", "what", "why"], verdicts.Select(verdict => (string[])[Show.Time(verdict.SaidAt), verdict.SaidBy, What(verdict), verdict.Why]));
    }

    private static string What(VerdictRow verdict) => verdict.Kind == "check" ? $"{verdict.Name} {(verdict.Passed ? "passed" : "failed")}" : verdict.Passed ? "approved" : "rejected";

    private static string Verb(GateOutcome outcome) => outcome switch { GateOutcome.Promote => "promoted", GateOutcome.Wait => "waited", _ => "refused" };

    private static string Mark(GateOutcome outcome) => outcome switch { GateOutcome.Promote => "met", GateOutcome.Wait => "open", _ => "not met" };
}
