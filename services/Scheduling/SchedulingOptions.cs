using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Scheduling;

/// <summary>Schedules that the settings declare, by dataset name.</summary>
public sealed class SchedulingOptions
{
    public const string Section = "Schedules";

    public Dictionary<string, DatasetSchedule> Datasets { get; init; } = new(StringComparer.Ordinal);
}

/// <summary>A schedule as settings write it; <see cref="ScheduleDefinition"/> says what each means.</summary>
public sealed class DatasetSchedule
{
    [Required]
    public string Cron { get; set; } = "";

    public string TimeZone { get; set; } = "UTC";

    public string Recipe { get; set; } = "";

    /// <summary>Days with commas between them.</summary>
    public string Except { get; set; } = "";

    /// <summary>Such as <c>10m</c>.</summary>
    public string Jitter { get; set; } = "0s";

    public int MaxConcurrent { get; set; } = 1;

    public string Missed { get; set; } = ScheduleDefinition.OnceMissed;

    public bool Force { get; set; }

    internal ScheduleDefinition ToDefinition(string dataset) => new()
    {
        Name = dataset, Dataset = dataset, Cron = Cron, TimeZone = TimeZone, Recipe = Recipe, MaxConcurrent = MaxConcurrent, Missed = Missed, Force = Force,
        Except = Except.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
        JitterSeconds = ScheduleDefinition.TryReadSeconds(Jitter, out var seconds) ? seconds : -1,
    };
}

/// <summary>A schedule that could never fire is refused at the start, not found out in the night.</summary>
internal sealed class SchedulingOptionsValidator : IValidateOptions<SchedulingOptions>
{
    public ValidateOptionsResult Validate(string? name, SchedulingOptions options)
    {
        var mistakes = options.Datasets
            .SelectMany(schedule => schedule.Value.ToDefinition(schedule.Key).Mistakes(DateTimeOffset.UtcNow).Select(wrong => $"Schedules:{schedule.Key}:{Option(wrong.Option)} {wrong.Mistake}"))
            .ToList();
        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }

    private static string Option(string name) => name switch { "timezone" => "TimeZone", "max-concurrent" => "MaxConcurrent", _ => $"{char.ToUpperInvariant(name[0])}{name[1..]}" };
}
