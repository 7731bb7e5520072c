using System.Diagnostics;
using DmlPipeline.Storage;
using Xunit.Abstractions;

namespace DmlPipeline.Tests.Pipeline.Month;

/// <summary>A month of nights with a clock that jumps: what was decided in each, and why (infra/month prints it).</summary>
public sealed class MonthTests(ITestOutputHelper output) : IDisposable
{
    private readonly TemporaryHome temporary = new();
    private readonly TimeProvider before = Database.Clock;

    public void Dispose()
    {
        Database.Clock = before;
        temporary.Dispose();
    }

    [Fact]
    public async Task Every_decision_of_a_month_is_the_right_one()
    {
        var watch = Stopwatch.StartNew();
        var clock = new MonthClock(new DateTimeOffset(2027, 3, 14, 12, 0, 0, TimeSpan.Zero));
        Database.Clock = clock;
        Directory.CreateDirectory(temporary.Home.Path);
        await using var month = new MonthRun(temporary.Home, clock);

        var decided = await month.Run();

        var wrong = new List<string>();
        foreach (var night in MonthPlan.Nights)
        {
            var rows = decided.Where(row => row.Night == night.Number).ToList();
            Print(night, rows);
            var isRight = rows.Count == night.Expected.Length && night.Expected.All(expected => rows.Any(row =>
                row.Who == expected.Who && row.Decision == expected.Decision && row.Why.Contains(expected.Why, StringComparison.Ordinal)));
            if (isRight) continue;
            wrong.Add($"night {night.Number}: expected {string.Join("; ", night.Expected.Select(expected => $"{expected.Who} {expected.Decision} ({expected.Why})"))}");
            output.WriteLine($"          WRONG: {wrong[^1]}");
        }
        var champions = (await month.Champions()).Where(row => row.Alias == "champion").ToList();
        output.WriteLine("");
        foreach (var row in champions) output.WriteLine($"model v{row.Version} {(row.Promoted ? "became champion" : "was refused")}: {row.Reason}");
        output.WriteLine($"{decided.Count} decisions, {wrong.Count} of them wrong, in {watch.Elapsed.TotalSeconds:0} s");

        wrong.ShouldBeEmpty();
        champions[0].Promoted.ShouldBeTrue();
        // Trainings: nights 1, 5, 10, 12, 20 and 29.
        champions.Count.ShouldBe(6);
        champions[4].Promoted.ShouldBeFalse("the gate must refuse what the worse recipe made");
        var fires = await month.Fires();
        fires.Count(fire => fire.Schedule == "nightly").ShouldBe(MonthPlan.Nights.Count - 1, "every night fires once, but for the excluded one");
        // The hour that comes twice fires once.
        fires.Where(fire => fire.Schedule == "sydney").Select(fire => DateTimeOffset.FromUnixTimeMilliseconds(fire.FireTime).UtcDateTime.ToString("MM-dd HH:mm"))
            .Order(StringComparer.Ordinal).ShouldBe(["03-20 15:30", "03-27 15:30", "04-03 15:30", "04-10 16:30"]);
        fires.ShouldContain(fire => fire.Schedule == "nightly" && fire.FireTime == new DateTimeOffset(2027, 3, 28, 1, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds(), "half past two is left out: three o'clock");
        fires.ShouldContain(fire => fire.Reason.Contains("missed while no scheduler ran"));
    }

    private void Print(Night night, List<Decided> rows)
    {
        output.WriteLine($"{night.Number,2}  {night.Date:ddd dd MMM}  {night.Happens}{(rows.Count == 0 ? (night.Happens.Length > 0 ? ": " : "") + "nothing is decided" : "")}");
        foreach (var row in rows)
            output.WriteLine($"                 {row.Who,-8} {(row.Time is { } time ? $"{time.UtcDateTime:dd HH:mm} UTC" : ""),-13} {row.Decision,-8} {row.Why}");
    }
}
