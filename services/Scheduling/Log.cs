using Microsoft.Extensions.Logging;

namespace DmlPipeline.Scheduling;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Dataset} is trained on by schedule {Cron} ({TimeZone}), next at {Next}")]
    public static partial void Scheduled(this ILogger logger, string dataset, string cron, string timeZone, DateTimeOffset? next);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Dataset} has no schedule any more")]
    public static partial void Unscheduled(this ILogger logger, string dataset);

    [LoggerMessage(Level = LogLevel.Information, Message = "The schedule of {Dataset} for {Time} asked for run {Run}")]
    public static partial void Asked(this ILogger logger, string dataset, DateTimeOffset time, string run);

    [LoggerMessage(Level = LogLevel.Information, Message = "The schedule of {Dataset} for {Time}: there is no version to train on yet")]
    public static partial void NothingToTrainOn(this ILogger logger, string dataset, DateTimeOffset time);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The schedule of {Dataset} for {Time} was followed elsewhere")]
    public static partial void AskedElsewhere(this ILogger logger, string dataset, DateTimeOffset time);
}
