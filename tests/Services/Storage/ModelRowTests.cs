using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Tests.Services.Storage;

public sealed class SqliteModelRowTests() : ModelRowTests(new SqliteTestDatabase());

public sealed class PostgresModelRowTests() : ModelRowTests(new PostgresTestDatabase());

/// <summary>The queries of the registry, the same on each engine.</summary>
public abstract class ModelRowTests(TestDatabase databases) : IAsyncLifetime
{
    private Database database = null!;

    public async Task InitializeAsync()
    {
        database = await databases.Open();
        await database.Write(async transaction =>
        {
            foreach (var (model, version, state, recall) in new[] { ("birds", 1, "ready", 0.7), ("birds", 2, "ready", 0.9), ("birds", 3, "pending", 0.0), ("cars", 1, "ready", 0.8) })
            {
                await transaction.Execute(
                    """
                    insert into model_versions (model, version, run_id, state, dataset, dataset_version, model_json, created_at)
                    values (@model, @version, @run, @state, @model, @version, '{}', 5)
                    """, new { model, version, run = $"{model}-{version}", state });
                await transaction.Execute("insert into model_metrics (model, version, name, value) values (@model, @version, 'recall@1', @recall)", new { model, version, recall });
            }
            foreach (var (alias, version) in new[] { ("champion", 2), ("blue", 2), ("old", 1) })
                await transaction.Execute("insert into aliases (model, alias, version) values ('birds', @alias, @version)", new { alias, version });
            foreach (var promoted in new[] { true, false })
                await transaction.Execute(
                    "insert into alias_history (model, alias, version, previous_version, promoted, reason, decided_at) values ('birds', 'champion', 2, @before, @promoted, 'better', 5)",
                    new { before = promoted ? 1 : (int?)null, promoted });
        }, default);
    }

    public async Task DisposeAsync()
    {
        database.Dispose();
        await databases.DisposeAsync();
    }

    [Fact]
    public async Task Models_are_listed_with_what_is_registered()
    {
        var models = await database.Models(default);

        models.Select(model => (model.Model, model.Versions, model.Latest)).ShouldBe([("birds", 2, 2), ("cars", 1, 1)]);
        models[0].Aliases.ShouldBe(new Dictionary<string, int> { ["blue"] = 2, ["champion"] = 2, ["old"] = 1 }, ignoreOrder: true);
    }

    [Fact]
    public async Task Versions_are_found_by_conditions_and_ordered_by_a_metric()
    {
        (await Found(null, [], null)).ShouldBe(["birds 2", "birds 1", "cars 1"]);
        (await Found("birds", [], null)).ShouldBe(["birds 2", "birds 1"]);
        (await Found(null, [new("recall@1", ">=", 0.8)], null)).ShouldBe(["birds 2", "cars 1"]);
        (await Found(null, [], "recall@1")).ShouldBe(["birds 2", "cars 1", "birds 1"]);
        (await Found(null, [new("no such metric", ">", 0)], "recall@1")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("1", 1)]
    [InlineData("v2", 2)]
    [InlineData("latest", 2)]
    [InlineData("champion", 2)]
    [InlineData("old", 1)]
    [InlineData("3", null)]
    [InlineData("nobody", null)]
    public async Task A_version_is_found_by_number_alias_or_as_the_latest(string which, int? expected) =>
        ((await database.ModelVersion("birds", which, default))?.Version).ShouldBe(expected);

    [Fact]
    public async Task A_version_tells_its_aliases_and_the_history_of_each()
    {
        (await database.ModelVersion("birds", "2", default))!.Aliases!.Split(',').Order().ShouldBe(["blue", "champion"]);
        (await database.ModelVersion("cars", "1", default))!.Aliases.ShouldBeNull();
        (await database.AliasHistory("birds", default)).Select(row => (row.Promoted, row.PreviousVersion)).ShouldBe([(true, 1), (false, null)]);
    }

    [Fact]
    public async Task A_list_goes_on_where_the_page_before_it_ended()
    {
        var all = await Found(null, [], "map@r");

        var first = await database.ModelVersions(null, [], "map@r", limit: 2, offset: 0, default);
        var second = await database.ModelVersions(null, [], "map@r", limit: 2, offset: 2, default);

        (first.Count, second.Count).ShouldBe((2, 1));
        first.Concat(second).Select(row => $"{row.Model} {row.Version}").ShouldBe(all);
        (await database.ModelVersions(null, [], "map@r", limit: 2, offset: 3, default)).ShouldBeEmpty();
    }

    private async Task<List<string>> Found(string? model, IReadOnlyList<MetricCondition> conditions, string? bestBy) =>
        [.. (await database.ModelVersions(model, conditions, bestBy, limit: 10, offset: 0, default)).Select(row => $"{row.Model} {row.Version}")];
}
