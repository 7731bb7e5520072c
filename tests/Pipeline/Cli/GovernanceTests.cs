using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Pipeline.Cli;

/// <summary>Commands by which people decide, are told, and see what is wrong, on a state that was written by hand.</summary>
public sealed class GovernanceTests : FilledSandbox
{
    [Fact]
    public async Task An_alias_is_moved_by_hand_and_shown_with_who_and_why()
    {
        (await Sandbox.Dml("models", "alias", "birds@1", "shadow", "--by", "ann", "--why", "watched")).Output.ShouldContain("shadow is birds v1 now.");

        var shown = await Sandbox.Dml("models", "show", "birds", "--json");

        shown.Json["history"]!.AsArray()[^1]!["decidedBy"]!.ToString().ShouldBe("ann");
        (await Sandbox.Dml("models", "show", "birds")).Output.ShouldContain("watched");
        (await Sandbox.Dml("models", "unalias", "birds", "shadow", "--why", "done")).Code.ShouldBe(0);
    }

    [Fact]
    public async Task What_cannot_be_decided_says_what_can()
    {
        (await Sandbox.Dml("rollback", "birds", "--why", "x")).ShouldSatisfyAllConditions(result => result.Code.ShouldBe(1), result => result.Error.ShouldContain("was the first champion"));
        (await Sandbox.Dml("rollback", "birds")).Code.ShouldBe(2, "a reason is required");
        (await Sandbox.Dml("models", "approve", "birds@1", "--why", "x")).Error.ShouldContain("is the champion already");
        (await Sandbox.Dml("models", "reject", "birds", "--why", "x")).Error.ShouldContain("NAME@VERSION");
        (await Sandbox.Dml("models", "check", "birds@1", "bias", "maybe", "--why", "x")).Code.ShouldBe(2);
        (await Sandbox.Dml("rollback", "birds", "--why", "x", "--server", "http://127.0.0.1:1")).Error.ShouldContain("--token-file");
    }

    [Fact]
    public async Task A_version_is_shown_with_what_was_said_about_it()
    {
        (await Sandbox.Dml("models", "check", "birds@1", "bias-review", "pass", "--by", "ann", "--why", "report 17")).Code.ShouldBe(0);

        (await Sandbox.Dml("models", "show", "birds@1")).Output.ShouldContain("bias-review passed");
        (await Sandbox.Dml("models", "show", "birds@1", "--json")).Json["verdicts"]!.AsArray().ShouldHaveSingleItem()!["why"]!.ToString().ShouldBe("report 17");
    }

    [Fact]
    public async Task Webhooks_are_added_with_a_secret_that_only_their_owner_reads()
    {
        var added = (await Sandbox.Dml("webhooks", "add", "https://example.org/hook", "--events", "ModelPromoted", "--of", "birds", "--json")).Json;
        var (id, secret) = (added["id"]!.ToString(), added["secret"]!.ToString()["file:".Length..]);

        if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(secret).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        (await File.ReadAllTextAsync(secret)).Trim().Length.ShouldBe(64);
        (await Sandbox.Dml("webhooks", "list")).Output.ShouldContain("https://example.org/hook");
        (await Sandbox.Dml("webhooks", "test", id)).Code.ShouldBe(0);
        var delivery = (await Sandbox.Dml("webhooks", "deliveries", id, "--json")).Json.AsArray().ShouldHaveSingleItem()!;
        delivery["event"]!.ToString().ShouldBe("Test");
        (await Sandbox.Dml("webhooks", "replay", delivery["id"]!.ToString()[^8..])).Output.ShouldContain("1 delivery is on the way again");
        (await Sandbox.Dml("webhooks", "replay", "nothing")).Error.ShouldContain("There is no delivery 'nothing'");
        (await Sandbox.Dml("webhooks", "deliveries", "nobody")).Error.ShouldContain("There is no webhook 'nobody'");
        (await Sandbox.Dml("webhooks", "deliveries", "--limit", "0")).ShouldSatisfyAllConditions(result => result.Code.ShouldBe(2), result => result.Error.ShouldContain("--limit 0 is none"));
        (await Sandbox.Dml("webhooks", "replay", "--failed")).Output.ShouldContain("0 deliveries");
        (await Sandbox.Dml("webhooks", "remove", id)).Code.ShouldBe(0);
        (await Sandbox.Dml("webhooks", "replay", delivery["id"]!.ToString())).Error.ShouldContain("was removed");
        (await Sandbox.Dml("webhooks", "list", "--json")).Json.AsArray().ShouldBeEmpty();
        (await Sandbox.Dml("webhooks", "remove", id)).Error.ShouldContain("There is no webhook");
        (await Sandbox.Dml("webhooks", "add", "https://example.org", "--events", "Nothing")).Error.ShouldContain("There is no event 'Nothing'");
        (await Sandbox.Dml("webhooks", "replay")).Code.ShouldBe(2);
    }

    [Fact]
    public async Task A_pipeline_whose_database_the_settings_name_is_asked_and_told_without_a_home_or_keys_to_the_store()
    {
        var settings = Path.Combine(Sandbox.Folder, "dml.yaml");
        await File.WriteAllTextAsync(settings, $"database: {Sandbox.Home.DatabaseFile}\n");
        Task<Sandbox.Result> Dml(params string[] words) => Sandbox.DmlWithout([.. words, "--settings", settings, "--home", Path.Combine(Sandbox.Folder, "nowhere")]);

        (await Dml("webhooks", "add", "https://example.org/hook")).Error.ShouldContain("--secret env:NAME");
        (await Dml("webhooks", "add", "https://example.org/hook", "--secret", "env:HOOK")).Code.ShouldBe(0);
        (await Dml("queue")).Output.ShouldContain("birds-v2-queued");
        (await Dml("workers")).Output.ShouldContain("No worker is running");
        (await Dml("status")).Output.ShouldContain("of many processes");

        (await Sandbox.Dml("webhooks", "list")).Output.ShouldContain("env:HOOK");
        Directory.Exists(Path.Combine(Sandbox.Folder, "nowhere")).ShouldBeFalse();
    }

    [Fact]
    public async Task The_status_says_what_runs_what_waits_and_what_is_wrong()
    {
        var status = await Sandbox.Dml("status");

        status.Code.ShouldBe(0);
        foreach (var part in new[] { "1 train waiting", "birds-v2-queued", "every file was broken", "rejected-drop" }) status.Output.ShouldContain(part);
        (await Sandbox.Dml("status", "--check", "--json")).ShouldSatisfyAllConditions(
            result => result.Code.ShouldBe(1), result => result.Json["troubles"]!.AsArray().ShouldHaveSingleItem()!["kind"]!.ToString().ShouldBe("rejected-drop"));

        using (var database = await Sandbox.Home.OpenDatabase(default))
            await database.Write(transaction => transaction.Execute("update drops set state = 'unchanged' where id = 'drop3'"), default);
        (await Sandbox.Dml("status", "--check")).ShouldSatisfyAllConditions(result => result.Code.ShouldBe(0), result => result.Output.ShouldContain("Nothing is wrong."));
    }
}
