using DmlPipeline.Scheduling;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Tests.Services.Scheduling;

public sealed class ScheduleTroubleTests
{
    private static readonly DateTimeOffset Evening = new(2027, 3, 1, 20, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(6, false, null, false)]
    [InlineData(6.55, false, null, false)]
    [InlineData(7, false, null, true)]
    [InlineData(7, true, null, false)]
    [InlineData(7, false, "2027-03-02", false)]
    [InlineData(31, false, "2027-03-02", true)]
    public async Task A_schedule_whose_time_came_and_that_did_not_fire_is_trouble(double hoursLater, bool paused, string? except, bool isTrouble)
    {
        using var folder = new TemporaryFolder();
        using var database = await folder.OpenDatabase();
        var nightly = new ScheduleDefinition { Name = "nightly", Dataset = "birds", Cron = "30 2 * * *", Except = except is null ? [] : [except] };
        await database.Write(transaction => transaction.Put(nightly, ScheduleRows.FromCommandLine, paused, Evening.ToUnixTimeMilliseconds()), default);

        var found = await Troubles.All(database, new TroubleLimits(), Evening.AddHours(hoursLater).ToUnixTimeMilliseconds(), default, ScheduleTroubles.Source);

        found.Select(trouble => (trouble.Kind, trouble.Subject)).ShouldBe(isTrouble ? [(Troubles.LateSchedule, "nightly")] : []);
    }
}
