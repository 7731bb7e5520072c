using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Pipeline.Cli;

/// <summary>Commands by which people decide, are told, and see what is wrong, on a state that was written by hand.</summary>
public sealed class GovernanceTests : IAsyncLifetime
{
    private readonly Sandbox sandbox = new();

    public async Task InitializeAsync()
    {
        using var database = await sandbox.Home.OpenDatabase(default);
        await HomeByHand.Fill(database);
    }

    public Task DisposeAsync()
    {
        sandbox.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task An_alias_is_moved_by_hand_and_shown_with_who_and_why()
    {
        (await sandbox.Dml("models", "alias", "birds@1", "shadow", "--by", "ann", "--why", "watched")).Output.ShouldContain("shadow is birds v1 now.");

        var shown = await sandbox.Dml("models", "show", "birds", "--json");

        shown.Json["history"]!.AsArray()[^1]!["decidedBy"]!.ToString().ShouldBe("ann");
        (await sandbox.Dml("models", "show", "birds")).Output.ShouldContain("watched");
        (await sandbox.Dml("models", "unalias", "birds", "shadow", "--why", "done")).Code.ShouldBe(0);
    }

    [Fact]
    public async Task What_cannot_be_decided_says_what_can()
    {
        (await sandbox.Dml("rollback", "birds", "--why", "x")).ShouldSatisfyAllConditions(result => result.Code.ShouldBe(1), result => result.Error.ShouldContain("was the first champion"));
        (await sandbox.Dml("rollback", "birds")).Code.ShouldBe(2, "a reason is required");
        (await sandbox.Dml("models", "approve", "birds@1", "--why", "x")).Error.ShouldContain("is the champion already");
        (await sandbox.Dml("models", "reject", "birds", "--why", "x")).Error.ShouldContain("NAME@VERSION");
        (await sandbox.Dml("models", "check", "birds@1", "bias", "maybe", "--why", "x")).Code.ShouldBe(2);
        (await sandbox.Dml("rollback", "birds", "--why", "x", "--server", "http://127.0.0.1:1")).Error.ShouldContain("--token-file");
    }

    [Fact]
    public async Task A_version_is_shown_with_what_was_said_about_it()
    {
        (await sandbox.Dml("models", "check", "birds@1", "bias-review", "pass", "--by", "ann", "--why", "report 17")).Code.ShouldBe(0);

        (await sandbox.Dml("models", "show", "birds@1")).Output.ShouldContain("bias-review passed");
        (await sandbox.Dml("models", "show", "birds@1", "--json")).Json["verdicts"]!.AsArray().ShouldHaveSingleItem()!["why"]!.ToString().ShouldBe("report 17");
    }

    [Fact]
    public async Task Webhooks_are_added_with_a_secret_that_only_their_owner_reads()
    {
        var added = (await sandbox.Dml("webhooks", "add", "https://example.org/hook", "--events", "ModelPromoted", "--of", "birds", "--json")).Json;
        var (id, secret) = (added["id"]!.ToString(), added["secret"]!.ToString()["file:".Length..]);

        if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(secret).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        (await File.ReadAllTextAsync(secret)).Trim().Length.ShouldBe(64);
        (await sandbox.Dml("webhooks", "list")).Output.ShouldContain("https://example.org/hook");
        (await sandbox.Dml("webhooks", "test", id)).Code.ShouldBe(0);
        (await sandbox.Dml("webhooks", "deliveries", id, "--json")).Json.AsArray().ShouldHaveSingleItem()!["event"]!.ToString().ShouldBe("Test");
        (await sandbox.Dml("webhooks", "replay", "--failed")).Output.ShouldContain("0 deliveries");
        (await sandbox.Dml("webhooks", "remove", id)).Code.ShouldBe(0);
        (await sandbox.Dml("webhooks", "list", "--json")).Json.AsArray().ShouldBeEmpty();
        (await sandbox.Dml("webhooks", "remove", id)).Error.ShouldContain("There is no webhook");
        (await sandbox.Dml("webhooks", "add", "https://example.org", "--events", "Nothing")).Error.ShouldContain("There is no event 'Nothing'");
        (await sandbox.Dml("webhooks", "replay")).Code.ShouldBe(2);
    }

    [Fact]
    public async Task The_status_says_what_runs_what_waits_and_what_is_wrong()
    {
        var status = await sandbox.Dml("status");

        status.Code.ShouldBe(0);
        foreach (var part in new[] { "1 train waiting", "birds-v2-queued", "every file was broken", "rejected-drop" }) status.Output.ShouldContain(part);
        (await sandbox.Dml("status", "--check", "--json")).ShouldSatisfyAllConditions(
            result => result.Code.ShouldBe(1), result => result.Json["troubles"]!.AsArray().ShouldHaveSingleItem()!["kind"]!.ToString().ShouldBe("rejected-drop"));

        using (var database = await sandbox.Home.OpenDatabase(default))
            await database.Write(transaction => transaction.Execute("update drops set state = 'unchanged' where id = 'drop3'"), default);
        (await sandbox.Dml("status", "--check")).ShouldSatisfyAllConditions(result => result.Code.ShouldBe(0), result => result.Output.ShouldContain("Nothing is wrong."));
    }
}
