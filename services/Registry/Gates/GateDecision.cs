using System.Text.Json;
using System.Text.Json.Serialization;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Comparisons;

namespace DmlPipeline.Registry.Gates;

public enum GateOutcome
{
    Promote,

    /// <summary>It failed in nothing, but somebody has to say something yet.</summary>
    Wait,

    Refuse,
}

/// <summary>One condition of a rule, with the numbers that met it or did not.</summary>
/// <param name="Name">Such as <c>gain</c>, <c>group Korean</c>, <c>latency_ms</c> or <c>approval</c>.</param>
/// <param name="Outcome"><see cref="GateOutcome.Promote"/> when it is met.</param>
/// <param name="Detail">In words.</param>
/// <param name="Value">What was measured.</param>
/// <param name="Bound">What the rule asks for.</param>
/// <param name="Low">Lower end of the interval, where there is one.</param>
/// <param name="High">Upper end.</param>
public sealed record GateCondition(string Name, GateOutcome Outcome, string Detail, double? Value = null, double? Bound = null, double? Low = null, double? High = null);

/// <summary>What the gate made of a challenger, and why.</summary>
public sealed record GateDecision(GateOutcome Outcome, string Reason, IReadOnlyList<GateCondition> Conditions)
{
    public string ToJson() => JsonSerializer.Serialize(this, Format);

    public static GateDecision FromJson(string json) => JsonSerializer.Deserialize<GateDecision>(json, Format)!;

    private static readonly JsonSerializerOptions Format = new(ContractJson.Compact) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) } };
}

/// <summary>All that a decision rests on.</summary>
/// <param name="Champion">Version of the champion; null when there is none.</param>
/// <param name="Metrics">The challenger's, on the current test split.</param>
/// <param name="Comparison">Null when there is no champion and nothing was recorded.</param>
/// <param name="Checks">What people and programs reported, the latest of each name.</param>
/// <param name="Approved">A person's verdict; null while there is none.</param>
public sealed record GateFacts(
    int? Champion, IReadOnlyDictionary<string, double> Metrics, ModelComparison? Comparison, IReadOnlyList<NamedCheck> Checks, bool? Approved);
