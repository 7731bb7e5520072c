using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Quartz;

namespace DmlPipeline.Scheduling;

/// <summary>When which dataset is trained on, by dataset name.</summary>
public sealed class SchedulingOptions
{
    public const string Section = "Schedules";

    public Dictionary<string, DatasetSchedule> Datasets { get; init; } = new(StringComparer.Ordinal);
}

public sealed class DatasetSchedule
{
    /// <summary>
    /// Five fields as in a crontab, <c>30 2 * * *</c> for every night at half past two; or, with seconds before them, as Quartz reads them:
    /// <c>0 30 2 * * ?</c>.
    /// </summary>
    [Required]
    public string Cron { get; set; } = "";

    /// <summary>IANA name of the time zone whose clock counts, such as <c>Europe/Berlin</c>.</summary>
    public string TimeZone { get; set; } = "UTC";

    /// <summary>Name of a built-in recipe; empty for the dataset's own, or else the pipeline's.</summary>
    public string Recipe { get; set; } = "";

    internal CronExpression? Expression => CronExpression.TryParse(Cron, Fields == 5 ? CronFormat.Unix : CronFormat.Quartz, out var read) ? read : null;

    private int Fields => Cron.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Length;

    internal CronScheduleBuilder ToSchedule() =>
        // However many fires were missed while no scheduler ran, one training catches up with all of them.
        CronScheduleBuilder.Create(Expression!).InTimeZone(TimeZoneInfo.FindSystemTimeZoneById(TimeZone)).WithMisfireInstruction(CronTriggerMisfireInstruction.FireAndProceed);
}

/// <summary>A schedule that could never fire is refused at the start, not found out in the night.</summary>
internal sealed class SchedulingOptionsValidator : IValidateOptions<SchedulingOptions>
{
    public ValidateOptionsResult Validate(string? name, SchedulingOptions options)
    {
        var mistakes = options.Datasets.SelectMany(schedule => Mistakes(schedule.Key, schedule.Value)).ToList();
        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }

    private static IEnumerable<string> Mistakes(string dataset, DatasetSchedule schedule)
    {
        // Some expressions read well and name a time that no clock shows.
        if (schedule.Expression?.GetNextValidTimeAfter(DateTimeOffset.UtcNow) is null)
            yield return $"Schedules:{dataset}:Cron '{schedule.Cron}' is no schedule: write minutes, hours, day of month, month, day of week, for example 30 2 * * *";
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(schedule.TimeZone, out _))
            yield return $"Schedules:{dataset}:TimeZone '{schedule.TimeZone}' is no time zone: write an IANA name such as Europe/Berlin, or UTC";
    }
}
