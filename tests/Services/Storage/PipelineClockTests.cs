using System.Diagnostics;
using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Services.Storage;

public sealed class PipelineClockTests
{
    private const long Hour = 3_600_000;

    [Fact]
    public void It_is_this_machines_clock_until_a_server_tells_the_time()
    {
        var clock = new PipelineClock();

        clock.IsDue.ShouldBeTrue();
        clock.Now.ShouldBeInRange(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - Hour, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
    }

    [Fact]
    public void It_goes_on_from_what_the_server_told_whatever_this_machines_clock_says()
    {
        var clock = new PipelineClock();
        var told = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() + Hour;

        clock.Follow(told, Stopwatch.GetTimestamp());

        clock.IsDue.ShouldBeFalse();
        clock.Now.ShouldBeInRange(told, told + (Hour / 2));
    }

    [Fact]
    public void Decisions_and_schedules_go_by_it_too_and_not_by_a_clock_that_is_an_hour_wrong()
    {
        var clock = new PipelineClock();

        clock.Follow(Hour, Stopwatch.GetTimestamp());

        clock.GetUtcNow().ToUnixTimeMilliseconds().ShouldBeInRange(Hour, 2 * Hour);
        Database.Clock.ShouldBeSameAs(PipelineClock.Shared);
    }

    [Fact]
    public void Half_of_the_time_that_the_answer_took_has_passed_since_the_server_looked()
    {
        var clock = new PipelineClock();

        clock.Follow(Hour, Stopwatch.GetTimestamp() - (10 * Stopwatch.Frequency));

        clock.Now.ShouldBeInRange(Hour + 5_000, Hour + 60_000);
    }
}
