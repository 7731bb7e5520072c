using DmlPipeline.Scheduling;

namespace DmlPipeline.Tests.Services.Scheduling;

public sealed class FireTimesTests
{
    [Fact]
    public void A_time_that_the_clock_leaves_out_in_spring_comes_as_soon_as_the_clock_goes_on()
    {
        var times = Times("30 2 * * *", "Europe/Berlin", "2027-03-27", 3);

        times.Select(time => Utc(time.Time)).ShouldBe(["03-27 01:30", "03-28 01:00", "03-29 00:30"]);
        times.Select(time => time.Clock).ShouldBe([null, "the clock leaves out the time that is set: as soon as it goes on", null]);
        times[1].Local.ToString("HH:mm zzz").ShouldBe("03:00 +02:00");
    }

    [Fact]
    public void A_time_that_the_clock_shows_twice_in_autumn_comes_once_the_first_time()
    {
        var times = Times("30 2 * * *", "Australia/Sydney", "2027-04-02T15:00", 3);

        times.Select(time => Utc(time.Time)).ShouldBe(["04-02 15:30", "04-03 15:30", "04-04 16:30"]);
        times.Select(time => time.Clock).ShouldBe([null, "the clock shows this time twice: the first", null]);
    }

    [Fact]
    public void What_comes_every_half_hour_goes_on_through_both_changes_of_the_clock()
    {
        var spring = Times("*/30 * * * *", "Europe/Berlin", "2027-03-28T00:10", 4);
        var autumn = Times("*/30 * * * *", "Europe/Berlin", "2027-10-31T00:10", 4);

        spring.Select(time => Utc(time.Time)).ShouldBe(["03-28 00:30", "03-28 01:00", "03-28 01:30", "03-28 02:00"]);
        spring.ShouldAllBe(time => time.Clock == null);
        autumn.Select(time => Utc(time.Time)).ShouldBe(["10-31 00:30", "10-31 01:00", "10-31 01:30", "10-31 02:00"]);
        autumn.Select(time => time.Clock?.Split(": ")[1]).ShouldBe(["the first", "the second", "the second", null]);
    }

    [Theory]
    [InlineData("sunday", "2027-03-28", true)]
    [InlineData("sunday", "2027-03-29", false)]
    [InlineData("12-25", "2029-12-25", true)]
    [InlineData("12-25", "2029-12-26", false)]
    [InlineData("02-29", "2028-02-29", true)]
    [InlineData("2027-03-28", "2027-03-28", true)]
    [InlineData("2027-03-28", "2028-03-28", false)]
    [InlineData("2027-12-24..2028-01-06", "2028-01-06", true)]
    [InlineData("2027-12-24..2028-01-06", "2028-01-07", false)]
    public void A_calendar_excludes_weekdays_days_of_every_year_dates_and_spans(string day, string date, bool excluded) =>
        ExcludedDays.Which(["01-01", day], DateOnly.Parse(date)).ShouldBe(excluded ? day : null);

    [Theory]
    [InlineData("someday")]
    [InlineData("0")]
    [InlineData("13-01")]
    [InlineData("2027-02-29")]
    [InlineData("2027-03-02..2027-03-01")]
    public void What_is_no_day_is_refused(string day) => ExcludedDays.IsOne(day).ShouldBeFalse();

    [Fact]
    public void The_preview_shows_excluded_days_and_the_day_is_that_of_the_schedules_clock()
    {
        // Half past midnight on Sunday in Auckland is Saturday in UTC.
        var schedule = Schedule("30 0 * * *", "Pacific/Auckland") with { Except = ["sunday"] };

        var times = FireTimes.After(schedule, DateTimeOffset.Parse("2027-06-11T00:00Z")).Take(3).ToList();

        times.Select(time => $"{time.Local:ddd} {time.Time.UtcDateTime:ddd} {time.Excluded}").ShouldBe(["Sat Fri ", "Sun Sat sunday", "Mon Sun "]);
    }

    [Fact]
    public void Jitter_is_the_same_on_every_node_spreads_and_stays_within_its_bound()
    {
        var schedule = Schedule("0 2 * * *", "UTC") with { JitterSeconds = 600 };
        var first = FireTimes.After(schedule, DateTimeOffset.UnixEpoch).Take(200).ToList();

        FireTimes.After(schedule, DateTimeOffset.UnixEpoch).Take(200).ShouldBe(first);
        var delays = first.ConvertAll(time => (time.At - time.Time).TotalSeconds);
        delays.ShouldAllBe(delay => delay >= 0 && delay <= 600);
        delays.Average().ShouldBe(300, 60);
        FireTimes.After(schedule with { Name = "other" }, DateTimeOffset.UnixEpoch).Take(200).Select(time => time.At).ShouldNotBe(first.Select(time => time.At));
    }

    private static List<FireTime> Times(string cron, string zone, string after, int count) => [.. FireTimes.After(Schedule(cron, zone), DateTimeOffset.Parse($"{after}Z")).Take(count)];

    private static string Utc(DateTimeOffset time) => $"{time.UtcDateTime:MM-dd HH:mm}";

    private static ScheduleDefinition Schedule(string cron, string zone) => new() { Name = "nightly", Dataset = "birds", Cron = cron, TimeZone = zone };
}

public sealed class DueFiresTests
{
    private static readonly DateTimeOffset Night = new(2027, 3, 1, 2, 30, 0, TimeSpan.Zero);

    [Fact]
    public void A_time_fires_when_it_has_come_and_not_again()
    {
        var before = DueFires.At(Nightly, Night.AddHours(-3), Night.AddSeconds(-1));
        var due = DueFires.At(Nightly, Night.AddHours(-3), Night.AddSeconds(1));

        before.Fires.ShouldBeEmpty();
        due.Fires.ShouldHaveSingleItem().ShouldSatisfyAllConditions(fire => fire.Fire.Time.ShouldBe(Night), fire => fire.Skipped.ShouldBeFalse(), fire => fire.Reason.ShouldBe("its time came"));
        due.LookedUntil.ShouldBe(Night);
        DueFires.At(Nightly, due.LookedUntil, Night.AddHours(1)).Fires.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("once", "skip skip fire")]
    [InlineData("skip", "skip skip skip")]
    [InlineData("all", "fire fire fire")]
    public void Missed_fires_come_once_not_at_all_or_all_of_them_and_each_leaves_a_record(string missed, string expected)
    {
        var due = DueFires.At(Nightly with { Missed = missed }, Night.AddHours(-3), Night.AddDays(2).AddHours(5));

        string.Join(' ', due.Fires.Select(fire => fire.Skipped ? "skip" : "fire")).ShouldBe(expected);
        due.Fires.ShouldAllBe(fire => fire.Reason.Contains("while no scheduler ran"));
        due.LookedUntil.ShouldBe(Night.AddDays(2));
    }

    [Fact]
    public void A_fire_that_is_on_time_catches_up_with_those_before_it()
    {
        var due = DueFires.At(Nightly, Night.AddHours(-3), Night.AddDays(2).AddSeconds(5));

        due.Fires.Count(fire => !fire.Skipped).ShouldBe(1);
        due.Fires[^1].Reason.ShouldBe("its time came; it catches up with 2 missed fires as well");
    }

    [Fact]
    public void Excluded_days_and_times_that_wait_for_their_jitter_do_not_fire()
    {
        var excluded = DueFires.At(Nightly with { Except = ["2027-03-01"] }, Night.AddHours(-3), Night.AddMinutes(1));
        var jittered = Nightly with { JitterSeconds = 3600 };
        var at = FireTimes.After(jittered, Night.AddHours(-3)).First().At;

        excluded.Fires.ShouldBeEmpty();
        excluded.LookedUntil.ShouldBe(Night);
        DueFires.At(jittered, Night.AddHours(-3), at.AddSeconds(-1)).ShouldSatisfyAllConditions(due => due.Fires.ShouldBeEmpty(), due => due.LookedUntil.ShouldBe(Night.AddHours(-3)));
        DueFires.At(jittered, Night.AddHours(-3), at).Fires.ShouldHaveSingleItem();
    }

    [Fact]
    public void Years_without_a_scheduler_leave_no_more_than_a_thousand_records()
    {
        var due = DueFires.At(Nightly with { Cron = "* * * * *", Missed = "all" }, Night.AddYears(-3), Night);

        due.Fires.Count.ShouldBe(1000);
        due.Fires[^1].Fire.Time.ShouldBe(Night);
    }

    private static ScheduleDefinition Nightly { get; } = new() { Name = "nightly", Dataset = "birds", Cron = "30 2 * * *" };
}
