using Microsoft.Extensions.Logging;

namespace DmlPipeline.Scheduling;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Schedule {Schedule} comes at {Cron} ({TimeZone}), next at {Next}")]
    public static partial void Scheduled(this ILogger logger, string schedule, string cron, string timeZone, DateTimeOffset? next);

    [LoggerMessage(Level = LogLevel.Information, Message = "Schedule {Schedule} comes no more")]
    public static partial void Unscheduled(this ILogger logger, string schedule);

    [LoggerMessage(Level = LogLevel.Information, Message = "Schedule {Schedule} for {Time}: {Outcome}, {Reason}")]
    public static partial void Fired(this ILogger logger, string schedule, DateTimeOffset time, string outcome, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The schedules could not be looked at; they are again in a moment")]
    public static partial void SyncFailed(this ILogger logger, Exception error);
}
