namespace DmlPipeline.Storage.State;

/// <summary>What the gate made of a version once.</summary>
public sealed record GateDecisionRow
{
    public required long Id { get; init; }
    public required string Model { get; init; }
    public required int Version { get; init; }

    /// <summary>The champion that it was compared with; null when there was none.</summary>
    public int? Champion { get; init; }

    /// <summary><c>promote</c>, <c>wait</c> or <c>refuse</c>.</summary>
    public required string Outcome { get; init; }

    public required string RuleJson { get; init; }
    public required string RuleHash { get; init; }

    /// <summary>Every condition with its numbers.</summary>
    public required string DecisionJson { get; init; }

    /// <summary>An <see cref="Contracts.ArtifactRef"/> of the values of single queries; null when there were none.</summary>
    public string? ComparisonJson { get; init; }

    public required long DecidedAt { get; init; }
}

/// <summary>What a person or a program said about a version.</summary>
public sealed record VerdictRow
{
    public required string Model { get; init; }
    public required int Version { get; init; }

    /// <summary><c>approval</c> or <c>check</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Of the check.</summary>
    public required string Name { get; init; }

    public required bool Passed { get; init; }
    public required string SaidBy { get; init; }
    public required string Why { get; init; }
    public required long SaidAt { get; init; }
}

public static class GateRows
{
    /// <summary>All decisions on a version, oldest first.</summary>
    public static async Task<IReadOnlyList<GateDecisionRow>> GateDecisions(this Database database, string model, int version, CancellationToken cancel) =>
        [.. await database.Query<GateDecisionRow>("select * from gate_decisions where model = @model and version = @version order by id", new { model, version }, cancel)];

    /// <summary>All that was said about a version, oldest first.</summary>
    public static async Task<IReadOnlyList<VerdictRow>> Verdicts(this Database database, string model, int version, CancellationToken cancel) =>
        [.. await database.Query<VerdictRow>("select * from model_verdicts where model = @model and version = @version order by id", new { model, version }, cancel)];

    /// <summary>Writes down what somebody says.</summary>
    public static Task<int> Say(this Transaction transaction, string model, int version, string kind, string name, bool passed, string by, string why) =>
        transaction.Execute(
            """
            insert into model_verdicts (model, version, kind, name, passed, said_by, why, said_at)
            values (@model, @version, @kind, @name, @passed, @by, @why, @now)
            """,
            new { model, version, kind, name, passed, by, why, now = Database.Now });
}
