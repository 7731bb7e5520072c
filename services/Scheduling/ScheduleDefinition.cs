using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using DmlPipeline.Contracts;
using Quartz;

namespace DmlPipeline.Scheduling;

/// <summary>When it is to be decided whether a dataset is trained on, and with which recipe: what people write down, in a file or on the command line.</summary>
public sealed partial record ScheduleDefinition
{
    public required string Name { get; init; }

    public required string Dataset { get; init; }

    /// <summary>
    /// Five fields as in a crontab, <c>30 2 * * *</c> for every night at half past two; or, with seconds before them, as Quartz reads them:
    /// <c>0 30 2 * * ?</c>.
    /// </summary>
    public required string Cron { get; init; }

    /// <summary>IANA name of the time zone whose clock counts, such as <c>Europe/Berlin</c>.</summary>
    public string TimeZone { get; init; } = "UTC";

    /// <summary>Name of a built-in recipe, or the text of one; empty for the dataset's own, or else the pipeline's.</summary>
    public string Recipe { get; init; } = "";

    /// <summary>Days without fires, as <see cref="ExcludedDays"/> reads them.</summary>
    public IReadOnlyList<string> Except { get; init; } = [];

    /// <summary>Each fire comes up to so much later, by an amount that its time decides: schedules of one hour do not all begin at once.</summary>
    public int JitterSeconds { get; init; }

    /// <summary>Fires pass while so many trainings of this dataset and recipe are under way; 0 for any number.</summary>
    public int MaxConcurrent { get; init; } = 1;

    /// <summary><c>once</c>: however many fires were missed, one catches up with all of them. <c>skip</c>: none does. <c>all</c>: each comes late.</summary>
    public string Missed { get; init; } = OnceMissed;

    /// <summary>Every fire trains; the retraining policy is not asked.</summary>
    public bool Force { get; init; }

    public const string OnceMissed = "once", SkipMissed = "skip", AllMissed = "all";

    [JsonIgnore]
    internal TimeZoneInfo Zone => TimeZoneInfo.FindSystemTimeZoneById(TimeZone);

    /// <summary>Null when it cannot be read.</summary>
    [JsonIgnore]
    internal CronExpression? Expression => CronExpression.TryParse(Cron, Fields == 5 ? CronFormat.Unix : CronFormat.Quartz, out var read) ? read : null;

    private int Fields => Cron.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Length;

    public string ToJson() => JsonSerializer.Serialize(this, ContractJson.Compact);

    public static ScheduleDefinition Parse(string json) => JsonSerializer.Deserialize<ScheduleDefinition>(json, ContractJson.Compact)!;

    /// <summary>What is wrong with it, as (option, cause and remedy): a schedule that could never fire is refused at once, not found out in the night.</summary>
    public IEnumerable<(string Option, string Mistake)> Mistakes(DateTimeOffset now)
    {
        if (!Names().IsMatch(Name)) yield return ("name", $"'{Name}' is no name of a schedule: write small letters, digits, - and _");
        if (Dataset.Length == 0) yield return ("dataset", "is missing: write the name of the dataset to train on");
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(TimeZone, out var zone))
            yield return ("timezone", $"'{TimeZone}' is no time zone: write an IANA name such as Europe/Berlin, or UTC");
        // Some expressions read well and name a time that no clock shows.
        else if (Expression?.WithTimeZone(zone).GetNextValidTimeAfter(now) is null)
            yield return ("cron", $"'{Cron}' is no schedule: write minutes, hours, day of month, month, day of week, for example 30 2 * * *");
        foreach (var day in Except.Where(day => !ExcludedDays.IsOne(day)))
            yield return ("except", $"'{day}' is no day: write a weekday (sunday), a day of every year (12-25), a date (2026-04-03) or dates (2026-12-24..2027-01-06)");
        if (JitterSeconds is < 0 or > 24 * 3600) yield return ("jitter", "must lie between 0 and 24 hours: write for example 10m");
        if (MaxConcurrent is < 0 or > 1000) yield return ("max-concurrent", "must lie between 0 (any number) and 1000");
        if (Missed is not (OnceMissed or SkipMissed or AllMissed))
            yield return ("missed", $"'{Missed}' is no way to treat missed fires: write once, skip or all");
    }

    /// <summary>Reads 90s, 10m, 2h.</summary>
    public static bool TryReadSeconds(string text, out int seconds)
    {
        var match = Times().Match(text);
        seconds = match.Success ? int.Parse(match.Groups["n"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture) * match.Groups["unit"].Value switch { "h" => 3600, "m" => 60, _ => 1 } : 0;
        return match.Success;
    }

    [GeneratedRegex("^[a-z0-9][a-z0-9._-]{0,63}$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Names();

    [GeneratedRegex("^(?<n>[0-9]{1,5})(?<unit>[smh])$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Times();
}
