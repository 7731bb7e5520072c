using DmlPipeline.Cli;
using DmlPipeline.Cli.Sample;
using DmlPipeline.Imaging;
using DmlPipeline.Local;
using DmlPipeline.Scheduling;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using Microsoft.Extensions.Logging.Abstractions;

namespace DmlPipeline.Tests.Pipeline.Month;

/// <param name="Night">The night.</param>
/// <param name="Who">A version or a schedule.</param>
/// <param name="Time">When it fired; null for a version.</param>
/// <param name="Decision"><c>trains</c>, <c>no</c> or <c>skipped</c>.</param>
/// <param name="Why">The reason that was kept.</param>
internal sealed record Decided(int Night, string Who, DateTimeOffset? Time, string Decision, string Why);

/// <summary>
/// A whole pipeline in this process, every part as it is delivered but for the clock, which jumps from one moment of the plan to the next. Trainings are
/// real and short. A second scheduler node works on the same database.
/// </summary>
internal sealed class MonthRun(PipelineHome home, MonthClock clock) : IAsyncDisposable
{
    private const string Recipe = "{ \"epochs\": 5, \"image\": { \"size\": 28 }, \"threads\": 1 }";
    private const int Drawings = 24;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly List<Decided> decided = [];
    private LocalPipeline? pipeline;
    private Database? secondNode;
    private int drops, drawn;

    private Database Database => pipeline!.Database;

    public async Task<IReadOnlyList<Decided>> Run()
    {
        GlyphSample.Write(Source, alphabets: 3, charactersPerAlphabet: 6, Drawings, seed: 1, default);
        await Up();
        secondNode = await home.OpenDatabase(default);
        foreach (var night in MonthPlan.Nights) await Pass(night);
        return decided;
    }

    /// <summary>From noon to noon.</summary>
    private async Task Pass(Night night)
    {
        if (night.KillsNode)
        {
            secondNode!.Dispose();
            secondNode = null;
        }
        if (night.RestartsNode) secondNode = await home.OpenDatabase(default);
        clock.Reach(At(night, 12, 30));
        if (night.Applies is { } text) await Apply(text);
        // Half past two in Sydney, in summer and in winter.
        await FireAt(night, 15);
        await FireAt(night, 16);
        clock.Reach(At(night, 18, 0));
        if (!night.IsLate) await Drop(night);
        clock.Reach(At(night, 20, 30));
        await Rest();
        if (night.IsDown)
        {
            await Down(night);
        }
        else
        {
            clock.Reach(At(night, 24, 0));
            if (night.IsLate) await Drop(night);
            // Half past two in Berlin, in summer and in winter; three o'clock when half past two is left out.
            await FireAt(night, 24);
            if (night.Date == new DateOnly(2027, 3, 27)) await Fire(At(night, 25, 0));
            await FireAt(night, 25);
            clock.Reach(At(night, 34, 0));
            await Rest();
        }
        await Note(night);
    }

    private async Task Down(Night night)
    {
        clock.Reach(At(night, 22, 0));
        await pipeline!.DisposeAsync();
        clock.Reach(At(night, 34, 0));
        await Up();
        // By itself: nobody tells the process what it has missed.
        await Until(async () => await Count("select count(*) from schedule_fires where fired_at > @now - 3600000") > 0, "the missed fire was caught up with");
        await Rest();
    }

    private async Task Up() => pipeline = await LocalPipeline.Start(
        new LocalSettings(home) { Port = 0, Training = training => training.Recipe = Recipe, Inbox = inbox => (inbox.SettleSeconds, inbox.ListSeconds) = (0.2, 1) }, default);

    private async Task Apply(string text)
    {
        var file = Path.Combine(home.Path, "schedules.yaml");
        await File.WriteAllTextAsync(file, text);
        using var output = new StringWriter();
        (await CommandLine.Run(["schedules", "apply", file, "--home", home.Path], output, output, default)).ShouldBe(0, output.ToString());
    }

    private Task FireAt(Night night, int hour) => Fire(At(night, hour, 30));

    /// <summary>Both nodes see the time come at the same moment.</summary>
    private async Task Fire(DateTimeOffset time)
    {
        clock.Reach(time.AddSeconds(1));
        var nodes = new[] { Database, secondNode }.OfType<Database>().Select(database => new ScheduleFiring(database, clock, NullLogger<ScheduleFiring>.Instance));
        await Task.WhenAll(nodes.Select(node => Task.Run(() => node.FireDue(default))));
        await Rest();
    }

    private async Task Drop(Night night)
    {
        foreach (var count in night.Drawings)
        {
            var inbox = Directory.CreateDirectory(Path.Combine(home.StoreFolder, "inbox", "letters")).FullName;
            // Held, so that all of a drop settles together.
            await using (await InboxHold.Take(Database, "letters", default))
            {
                if (drops == 0) await File.WriteAllTextAsync(Path.Combine(inbox, "dataset.yaml"), "split_by: class\nvalidation: 0.2\ntest: 0.3\n");
                foreach (var file in Directory.EnumerateFiles(Source, "*.png", SearchOption.AllDirectories).Where(file => Number(file) > drawn && Number(file) <= drawn + count))
                    Copy(file, Path.Combine(inbox, Path.GetRelativePath(Source, file)), night.IsDrifted);
            }
            drawn += count;
            drops++;
            await Until(async () => (await Database.Drops("letters", default)) is var all && all.Count >= drops && all.All(drop => drop.FinishedAt is not null), "the drop became a version");
            // The next one finds a version on which nothing is decided yet.
            await Until(async () => await Count("select count(*) from training_decisions where cause = 'new-data'") == drops, "it was asked whether to train on the version");
        }
    }

    private static int Number(string file) => int.Parse(Path.GetFileNameWithoutExtension(file));

    private static void Copy(string file, string target, bool inverted)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        if (!inverted)
        {
            File.Copy(file, target);
            return;
        }
        var image = ImageDecoder.Decode(File.ReadAllBytes(file), 1, GlyphSample.Side, GlyphSample.Side, ImageLimits.Default);
        File.WriteAllBytes(target, PngEncoder.Encode(new Image(image.Width, image.Height, 1, [.. image.Pixels.Select(value => (byte)(255 - value))])));
    }

    /// <summary>Waits until nothing is left to do before the clock goes on.</summary>
    private Task Rest() => Until(async () =>
        await Count(
            """
            select (select count(*) from runs where state in ('queued', 'running', 'trained', 'evaluated'))
                + (select count(*) from jobs where state = 'leased' or state = 'queued' and not_before <= @now)
                + (select count(*) from outbox where sent_at is null)
                + (select count(*) from schedule_fires f where outcome = 'asked' and not exists (select 1 from training_decisions d where d.schedule = f.schedule and d.fire_time = f.fire_time))
            """) == 0, "the pipeline came to rest");

    private async Task Note(Night night)
    {
        var rows = (await Database.Query<(string Id, string? Schedule, long? Time, string? Run, string State, string Reason)>(
            "select id, schedule, fire_time, run_id, state, reason from training_decisions order by fire_time is not null, decided_at, id", null, default)).ToList();
        var fires = await Database.Fires(schedule: null, 1000, default);
        foreach (var row in rows.Where(row => row.State == "decided" && seen.Add(row.Id)))
            decided.Add(new Decided(
                night.Number, row.Schedule ?? row.Id["letters-".Length..], row.Time is { } time ? DateTimeOffset.FromUnixTimeMilliseconds(time) : null, row.Run is null ? "no" : "trains", row.Reason));
        foreach (var fire in fires.Where(fire => fire.Outcome == "skipped" && seen.Add($"{fire.Schedule}@{fire.FireTime}")))
            decided.Add(new Decided(night.Number, fire.Schedule, DateTimeOffset.FromUnixTimeMilliseconds(fire.FireTime), "skipped", fire.Reason));
    }

    private readonly HashSet<string> seen = new(StringComparer.Ordinal);

    private async Task<long> Count(string sql) => await Database.QueryOne<long>(sql, new { now = Database.Now }, default);

    private static async Task Until(Func<Task<bool>> condition, string what)
    {
        var end = DateTime.UtcNow + Limit;
        while (!await condition())
        {
            if (DateTime.UtcNow > end) throw new TimeoutException($"This never happened: {what}.");
            await Task.Delay(50);
        }
    }

    /// <summary>Hours after midnight of the night's date, UTC; beyond 24 the next day's.</summary>
    private static DateTimeOffset At(Night night, int hour, int minute) => new DateTimeOffset(night.Date, TimeOnly.MinValue, TimeSpan.Zero).AddHours(hour).AddMinutes(minute);

    private string Source => Path.Combine(home.Path, "source");

    public async Task<IReadOnlyList<AliasHistoryRow>> Champions() => await Database.AliasHistory("letters", default);

    public async Task<IReadOnlyList<FireRow>> Fires() => await Database.Fires(schedule: null, 1000, default);

    public async ValueTask DisposeAsync()
    {
        secondNode?.Dispose();
        if (pipeline is not null) await pipeline.DisposeAsync();
    }
}
