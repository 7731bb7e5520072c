using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Registry.Promotion;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Tests.Services.Registry;

/// <summary>What people decide about versions, on a registry that runs.</summary>
public sealed class PromotionDeskTests : IAsyncLifetime
{
    private RegistryFixture registry = null!;

    public async Task InitializeAsync() => registry = await RegistryFixture.Create();

    public async Task DisposeAsync() => await registry.DisposeAsync();

    [Fact]
    public async Task A_version_that_waits_is_the_challenger_until_somebody_approves_it()
    {
        registry.Rule("gate: { approval: manual }");
        await registry.Start();
        await registry.Register("run-1", 0.5);

        (await registry.Champion()).ShouldBeNull();
        (await Alias("challenger")).ShouldBe(1);
        Read<PromotionWaiting>(await registry.Messages(nameof(PromotionWaiting))).Single().Reason.ShouldBe("it waits for approval");

        (await registry.Desk.Approve("birds", "challenger", "ann", "looks right", anyway: false, default)).ShouldBe("birds v1 is the champion.");

        (await registry.Champion()).ShouldBe(1);
        (await Alias("challenger")).ShouldBeNull();
        (await History()).ShouldBe(["champion waiting gate v1", "challenger moved gate v1", "challenger removed ann v1", "champion approved ann v1"]);
        Read<ModelPromoted>(await registry.Messages(nameof(ModelPromoted))).Last().ShouldSatisfyAllConditions(
            promoted => (promoted.Alias, promoted.Action, promoted.By).ShouldBe(("champion", "approved", "ann")));
        (await registry.Database.GateDecisions("birds", 1, default)).Select(row => row.Outcome).ShouldBe(["wait", "promote"]);
        (await registry.Database.Verdicts("birds", 1, default)).Single().ShouldSatisfyAllConditions(
            said => (said.Kind, said.Passed, said.SaidBy, said.Why).ShouldBe(("approval", true, "ann", "looks right")));
    }

    [Fact]
    public async Task A_required_check_that_arrives_settles_what_waited_for_it()
    {
        registry.Rule("gate: { required: [beats-untrained, bias-review] }");
        await registry.Start();
        await registry.Register("run-1", 0.5);
        await registry.Register("run-2", 0.6);

        (await registry.Desk.Check("birds", "1", "bias-review", passed: true, "robot", "report 17", default)).ShouldContain("birds v1 is the champion.");
        (await registry.Desk.Check("birds", "2", "bias-review", passed: false, "robot", "report 18", default)).ShouldContain("The gate refuses birds v2: the check bias-review failed: report 18 (robot)");

        (await registry.Champion()).ShouldBe(1);
        await Should.ThrowAsync<PromotionException>(() => registry.Desk.Approve("birds", "2", "ann", "all the same", anyway: false, default));
        await registry.Desk.Approve("birds", "2", "ann", "all the same", anyway: true, default);
        (await registry.Champion()).ShouldBe(2);
    }

    [Fact]
    public async Task A_rejected_version_is_not_promoted()
    {
        registry.Rule("gate: { approval: manual }");
        await registry.Start();
        await registry.Register("run-1", 0.5);

        await registry.Desk.Reject("birds", "1", "ann", "confuses the finches", default);

        (await Alias("challenger")).ShouldBeNull();
        (await registry.Champion()).ShouldBeNull();
        Read<PromotionRefused>(await registry.Messages(nameof(PromotionRefused))).Single().Reason.ShouldBe("confuses the finches (ann)");
    }

    [Fact]
    public async Task An_approval_beside_another_champion_lets_the_version_be_judged_again_and_counts_then()
    {
        registry.Rule("gate: { approval: manual }");
        await registry.Start();
        await registry.Register("run-1", 0.5);
        await registry.Register("run-2", 0.7, datasetVersion: 2);
        await registry.Desk.Approve("birds", "1", "ann", "first", anyway: false, default);

        (await registry.Desk.Approve("birds", "2", "ann", "better", anyway: false, default)).ShouldContain("it is judged again beside it, and promoted if it passes");

        (await registry.Database.Lease("evaluate", "worker", TimeSpan.FromMinutes(1), default))!.Subject.ShouldBe("run-2");
        await registry.Register("run-2", 0.7, new ChampionOnSameSplit(1, Metrics(0.4)), datasetVersion: 2);
        (await registry.Champion()).ShouldBe(2);
        (await registry.Messages(nameof(ModelRegistered))).Count.ShouldBe(2);
        (await registry.Database.GateDecisions("birds", 2, default)).Select(row => (row.Champion, row.Outcome)).ShouldBe([(null, "wait"), (1, "promote")]);
    }

    [Fact]
    public async Task A_rollback_goes_back_one_champion_at_a_time_and_never_forth_again()
    {
        await registry.Start();
        await registry.Register("run-1", 0.4);
        await registry.Register("run-2", 0.5);
        await registry.Register("run-3", 0.6);

        (await registry.Desk.Rollback("birds", to: null, "ann", "v3 is wrong", default)).ShouldBe("birds v2 is the champion again, in place of v3.");
        await registry.Desk.Rollback("birds", to: null, "ann", "v2 is wrong too", default);

        (await registry.Champion()).ShouldBe(1);
        (await Should.ThrowAsync<PromotionException>(() => registry.Desk.Rollback("birds", to: null, "ann", "and now", default))).Message.ShouldContain("was the first champion");
        await registry.Desk.Rollback("birds", "3", "bob", "it was right after all", default);
        (await registry.Champion()).ShouldBe(3);
        (await History()).Skip(3).ShouldBe(["champion rolled-back ann v2", "champion rolled-back ann v1", "champion rolled-back bob v3"]);
        (await Should.ThrowAsync<PromotionException>(() => registry.Desk.Rollback("birds", "9", "bob", "why not", default))).Message.ShouldContain("no version 9");
        (await Should.ThrowAsync<PromotionException>(() => registry.Desk.Rollback("cats", null, "bob", "why not", default))).Message.ShouldContain("no champion");
    }

    [Fact]
    public async Task Aliases_of_ones_own_are_moved_by_hand_and_protected_ones_only_with_a_word()
    {
        await registry.Start();
        await registry.Register("run-1", 0.4);
        await registry.Register("run-2", 0.5);
        var desk = registry.Desk;

        await desk.SetAlias("birds", "1", "shadow", protect: true, anyway: false, "ann", "watched", default);
        (await Should.ThrowAsync<PromotionException>(() => desk.SetAlias("birds", "2", "shadow", null, anyway: false, "ann", "x", default))).Message.ShouldContain("is protected");
        await desk.SetAlias("birds", "2", "shadow", null, anyway: true, "ann", "x", default);
        (await Should.ThrowAsync<PromotionException>(() => desk.RemoveAlias("birds", "shadow", anyway: false, "ann", "x", default))).Message.ShouldContain("is protected");
        await desk.RemoveAlias("birds", "shadow", anyway: true, "ann", "x", default);
        (await Alias("shadow")).ShouldBeNull();

        foreach (var name in new[] { "champion", "challenger", "latest", "v3", "3", "", "a/b", "a b" })
            await Should.ThrowAsync<PromotionException>(() => desk.SetAlias("birds", "1", name, null, anyway: true, "ann", "x", default));
    }

    [Fact]
    public async Task Nothing_is_decided_without_who_and_why()
    {
        await registry.Start();
        await registry.Register("run-1", 0.4);
        await registry.Register("run-2", 0.5);

        await Should.ThrowAsync<PromotionException>(() => registry.Desk.Rollback("birds", null, "ann", " ", default));
        await Should.ThrowAsync<PromotionException>(() => registry.Desk.Reject("birds", "1", "", "why", default));
        (await registry.Database.Verdicts("birds", 1, default)).ShouldBeEmpty();
        (await registry.Champion()).ShouldBe(2);
    }

    [Theory]
    [InlineData("update alias_history set reason = 'another'")]
    [InlineData("delete from alias_history")]
    [InlineData("update gate_decisions set outcome = 'refuse'")]
    [InlineData("delete from gate_decisions")]
    public async Task History_cannot_be_changed(string sql)
    {
        await registry.Start();
        await registry.Register("run-1", 0.4);

        (await Should.ThrowAsync<Exception>(() => registry.Database.Write(transaction => transaction.Execute(sql), default))).Message.ShouldContain("append-only");
    }

    private async Task<int?> Alias(string alias) => (await registry.Database.ModelVersion("birds", alias, default))?.Version;

    private async Task<IEnumerable<string>> History() =>
        (await registry.Database.AliasHistory("birds", default)).Select(row => $"{row.Alias} {row.Action} {row.DecidedBy} v{row.Version}");

    private static Dictionary<string, double> Metrics(double score) => new(StringComparer.Ordinal) { ["map@r"] = score };

    private static IEnumerable<T> Read<T>(IEnumerable<string> messages) => messages.Select(json => JsonSerializer.Deserialize<T>(json, ContractJson.Compact)!);
}
