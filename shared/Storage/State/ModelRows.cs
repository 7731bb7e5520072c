using System.Globalization;

namespace DmlPipeline.Storage.State;

public sealed record ModelVersionRow
{
    public required string Model { get; init; }
    public required int Version { get; init; }
    public required string RunId { get; init; }
    public required string Dataset { get; init; }
    public required int DatasetVersion { get; init; }
    public required long CreatedAt { get; init; }

    /// <summary>The version's <c>model.json</c>.</summary>
    public required string ModelJson { get; init; }

    /// <summary>Aliases that point at this version, separated by commas.</summary>
    public string? Aliases { get; init; }
}

/// <summary>A model with its registered versions counted.</summary>
/// <param name="Model">Model name.</param>
/// <param name="Versions">How many versions are registered.</param>
/// <param name="Latest">The highest version number.</param>
/// <param name="Aliases">Alias to version number.</param>
public sealed record ModelSummary(string Model, int Versions, int Latest, IReadOnlyDictionary<string, int> Aliases);

public sealed record AliasHistoryRow
{
    public required string Model { get; init; }
    public required string Alias { get; init; }
    public required int Version { get; init; }
    public int? PreviousVersion { get; init; }

    /// <summary>True when the alias was moved to the version, false when it was refused.</summary>
    public required bool Promoted { get; init; }

    public required string Reason { get; init; }
    public required long DecidedAt { get; init; }

    /// <summary><c>promoted</c>, <c>refused</c> or <c>waiting</c> by the gate; <c>approved</c>, <c>rejected</c>, <c>rolled-back</c>, <c>moved</c> or <c>removed</c> by a person.</summary>
    public required string Action { get; init; }

    /// <summary><c>gate</c>, or a person's name.</summary>
    public required string DecidedBy { get; init; }
}

/// <summary>A condition on a metric, for example <c>recall@1 >= 0.9</c>.</summary>
/// <param name="Metric">Metric name.</param>
/// <param name="Comparison">One of <c>&lt; &lt;= = >= ></c>.</param>
/// <param name="Value">The bound.</param>
public sealed record MetricCondition(string Metric, string Comparison, double Value);

public static class ModelRows
{
    private static string Columns(Database database) =>
        $"""
        select v.*, (select {database.Joined("a.alias")} from aliases a where a.model = v.model and a.version = v.version) as aliases
        from model_versions v
        """;

    /// <summary>Every model with a registered version, by name.</summary>
    public static async Task<IReadOnlyList<ModelSummary>> Models(this Database database, CancellationToken cancel)
    {
        var aliases = (await database.Query<(string Model, string Alias, int Version)>("select model, alias, version from aliases order by model, alias", null, cancel))
            .ToLookup(row => row.Model, StringComparer.Ordinal);
        var models = await database.Query<(string Model, int Versions, int Latest)>(
            "select model, count(*), max(version) from model_versions where state = 'ready' group by model order by model", null, cancel);
        return [.. models.Select(row => new ModelSummary(
            row.Model, row.Versions, row.Latest, aliases[row.Model].ToDictionary(alias => alias.Alias, alias => alias.Version, StringComparer.Ordinal)))];
    }

    /// <summary>Versions that fulfil every condition, newest first, or best first by a metric: as many as asked for, after so many that are left out.</summary>
    public static async Task<IReadOnlyList<ModelVersionRow>> ModelVersions(
        this Database database, string? model, IReadOnlyList<MetricCondition> conditions, string? bestBy, int limit, int offset, CancellationToken cancel)
    {
        var arguments = new Dictionary<string, object?>(StringComparer.Ordinal) { ["model"] = model, ["limit"] = limit, ["offset"] = offset, ["bestBy"] = bestBy };
        var where = $"v.state = 'ready'{(model is null ? "" : " and v.model = @model")}";
        for (var i = 0; i < conditions.Count; i++)
        {
            var comparison = conditions[i].Comparison;
            if (comparison is not ("<" or "<=" or "=" or ">=" or ">"))
                throw new ArgumentException($"'{comparison}' is no comparison: use <, <=, =, >= or >.", nameof(conditions));
            arguments[$"metric{i}"] = conditions[i].Metric;
            arguments[$"value{i}"] = conditions[i].Value;
            where += $" and exists (select 1 from model_metrics m where m.model = v.model and m.version = v.version and m.name = @metric{i} and m.value {comparison} @value{i})";
        }
        // The page first, of keys alone: rows with their documents are too wide to be sorted by thousands.
        const string newest = "v.model, v.version desc";
        var (score, metric, best) = bestBy is null
            ? ("", "", "")
            : (", b.value as score", "left join model_metrics b on b.model = v.model and b.version = v.version and b.name = @bestBy", "score desc nulls last, ");
        var sql =
            $"""
            with page as (select v.model, v.version{score} from model_versions v {metric} where {where} order by {best}{newest} limit @limit offset @offset)
            {Columns(database)} join page on page.model = v.model and page.version = v.version order by {best}{newest}
            """;
        return [.. await database.Query<ModelVersionRow>(sql, arguments, cancel)];
    }

    /// <param name="database">The database.</param>
    /// <param name="model">Model name.</param>
    /// <param name="which">A version number (<c>3</c> or <c>v3</c>), an alias, or <c>latest</c>.</param>
    /// <param name="cancel">Ends the query.</param>
    /// <returns>Null when the model has no such version.</returns>
    public static Task<ModelVersionRow?> ModelVersion(this Database database, string model, string which, CancellationToken cancel)
    {
        var digits = which.StartsWith('v') ? which.AsSpan(1) : which;
        var number = int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : (int?)null;
        var chosen = number is not null ? "v.version = @number"
            : which == "latest" ? "v.version = (select max(version) from model_versions where model = @model and state = 'ready')"
            : "v.version = (select version from aliases where model = @model and alias = @which)";
        return database.QueryOne<ModelVersionRow>($"{Columns(database)} where v.state = 'ready' and v.model = @model and {chosen}", new { model, which, number }, cancel);
    }

    public static async Task<IReadOnlyList<AliasHistoryRow>> AliasHistory(this Database database, string model, CancellationToken cancel) =>
        [.. await database.Query<AliasHistoryRow>("select * from alias_history where model = @model order by id", new { model }, cancel)];

    public static async Task<IReadOnlyDictionary<string, double>> Metrics(this Transaction transaction, string model, int version) =>
        (await transaction.Query<(string Name, double Value)>(
            "select name, value from model_metrics where model = @model and version = @version order by name", new { model, version }))
        .ToDictionary(row => row.Name, row => row.Value, StringComparer.Ordinal);
}
