using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Pipeline.Cli;

public sealed class ScheduleCommandTests : IDisposable
{
    private const string Declared =
        """
        calendars:
          holidays: [01-01, 2027-03-30]
        schedules:
          nightly:
            dataset: birds
            cron: "30 2 * * *"
            timezone: Europe/Berlin
            calendar: holidays
            except: [sunday]
            jitter: 10m
        policies:
          birds: { min-new-images: 50, max-age: 30d, drift: mmd, start: champion, replay: 0.5 }
        """;

    private readonly Sandbox sandbox = new();

    public void Dispose() => sandbox.Dispose();

    [Fact]
    public async Task A_schedule_is_added_paused_resumed_fired_and_taken_away()
    {
        (await Dml("schedules", "add", "nightly", "--dataset", "birds", "--cron", "30 2 * * *", "--timezone", "Europe/Berlin", "--except", "sunday")).Output.ShouldContain("is kept. Next:");
        (await Dml("schedules", "list", "--json")).Json[0]!["next"]!["local"]!.ToString().ShouldContain("T02:30");
        (await Dml("schedules", "pause", "nightly")).Output.ShouldContain("rests");
        (await Dml("schedules", "list")).Output.ShouldContain("paused");
        (await Dml("schedules", "resume", "nightly", "--json")).Json["paused"]!.GetValue<bool>().ShouldBeFalse();

        (await Dml("schedules", "run-now", "nightly")).ShouldSatisfyAllConditions(result => result.Code.ShouldBe(1), result => result.Output.ShouldContain("there is no version of birds"));
        using (var database = await sandbox.Home.OpenDatabase(default)) await HomeByHand.Fill(database);
        (await Dml("schedules", "run-now", "nightly", "--force")).Output.ShouldContain("fires for birds v2");

        var shown = (await Dml("schedules", "show", "nightly", "--json")).Json;
        shown["fires"]!.AsArray().Select(fire => fire!["outcome"]!.ToString()).ShouldBe(["asked", "skipped"]);
        using (var database = await sandbox.Home.OpenDatabase(default)) (await database.Unsent(10, default)).ShouldContain(message => message.Type == "ScheduleFired" && message.BodyJson.Contains("\"force\":true"));
        (await Dml("schedules", "show", "nightly")).Output.ShouldContain("being decided");
        (await Dml("schedules", "remove", "nightly")).Code.ShouldBe(0);
        (await Dml("schedules", "show", "nightly")).ShouldSatisfyAllConditions(result => result.Code.ShouldBe(1), result => result.Error.ShouldContain("There is no schedule 'nightly'. There is none yet."));
    }

    [Fact]
    public async Task A_file_is_applied_once_and_shows_what_changes()
    {
        var file = File("schedules.yaml", Declared);

        (await Dml("schedules", "apply", file, "--dry-run")).Output.ShouldContain("+ schedule nightly: cron 30 2 * * *, dataset birds, except 01-01 2027-03-30 sunday, jitter 600s, timezone Europe/Berlin");
        (await Dml("schedules", "list", "--json")).Json.AsArray().ShouldBeEmpty();
        (await Dml("schedules", "apply", file)).Output.ShouldContain("2 changes made.");
        (await Dml("schedules", "apply", file)).Output.ShouldBe("Nothing to change.\n");

        await Dml("schedules", "pause", "nightly");
        (await Dml("schedules", "apply", file)).Output.ShouldBe("Nothing to change.\n", "the file leaves pausing to people");
        await Dml("schedules", "add", "by-hand", "--dataset", "birds", "--cron", "0 4 * * *");
        var changed = File("schedules.yaml", Declared.Replace("30 2 * * *", "45 3 * * *").Replace("50, max-age: 30d", "60"));
        var output = (await Dml("schedules", "apply", changed)).Output;
        output.ShouldContain("~ schedule nightly: cron 30 2 * * * -> 45 3 * * *");
        output.ShouldContain("~ policy birds: max-age 30d -> (default), min-new-images 50 -> 60");

        var emptied = (await Dml("schedules", "apply", File("schedules.yaml", "schedules: {}"))).Output;
        emptied.ShouldContain("- schedule nightly");
        emptied.ShouldContain("- policy birds");
        (await Dml("schedules", "list", "--json")).Json.AsArray().ShouldHaveSingleItem()!["name"]!.ToString().ShouldBe("by-hand");
    }

    [Fact]
    public async Task The_preview_marks_changes_of_the_clock_and_excluded_days()
    {
        await Dml("schedules", "apply", File("schedules.yaml", Declared.Replace("[sunday]", "[]")));

        var next = await Dml("schedules", "next", "nightly", "--from", "2027-03-27T12:00:00Z", "--count", "3");

        next.Output.ShouldContain("Sun 2027-03-28 03:00 +02:00   2027-03-28 01:00:00");
        next.Output.ShouldContain("the clock leaves out the time that is set");
        next.Output.ShouldContain("excluded (2027-03-30)");
        var json = (await Dml("schedules", "next", "--from", "2027-10-30T12:00:00Z", "--count", "1", "--json")).Json[0]!;
        json["clock"]!.ToString().ShouldContain("twice: the first");
        json["time"]!.GetValue<DateTimeOffset>().ShouldBe(DateTimeOffset.Parse("2027-10-31T00:30Z"));
    }

    [Theory]
    [InlineData("schedules:\n  a: { cron: every night }", "cron 'every night' is no schedule")]
    [InlineData("schedules:\n  a: { cron: 0 2 * * *, timezone: Berlin }", "timezone 'Berlin' is no time zone")]
    [InlineData("schedules:\n  a: { cron: 0 2 * * *, when: now }", "there is no when; there are dataset, cron")]
    [InlineData("schedules:\n  a: { cron: 0 2 * * *, calendar: holidays }", "there is no calendar 'holidays'")]
    [InlineData("policies:\n  a: { max-age: old }", "'old' is no time")]
    [InlineData("policies:\n  a: { replay: 0.5 }", "nothing to replay")]
    [InlineData("policies:\n  a: { min-new-images: many }", "'many' is no number")]
    [InlineData("plans: {}", "there is no plans")]
    public async Task A_mistake_in_a_file_is_named_and_nothing_is_applied(string text, string told)
    {
        var result = await Dml("schedules", "apply", File("schedules.yaml", text));

        result.Code.ShouldBe(1);
        result.Error.ShouldContain(told);
        (await Dml("schedules", "list", "--json")).Output.Trim().ShouldBe("[]");
    }

    private Task<Sandbox.Result> Dml(params string[] arguments) => sandbox.Dml(arguments);

    private string File(string name, string text)
    {
        var path = Path.Combine(sandbox.Folder, name);
        System.IO.File.WriteAllText(path, text);
        return path;
    }
}
