using Microsoft.Extensions.Logging;

namespace DmlPipeline.Hosting;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Debug, Message = "Published {Type} {Summary}")]
    public static partial void Published(this ILogger logger, string type, string summary);

    [LoggerMessage(Level = LogLevel.Error, Message = "The outbox could not be sent; it is tried again")]
    public static partial void OutboxFailed(this ILogger logger, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "The outbox holds a message that this version cannot read; it is left out: {Type} {Body}")]
    public static partial void Unreadable(this ILogger logger, Exception error, string type, string body);

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {Job} started")]
    public static partial void JobStarted(this ILogger logger, string job);

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {Job} done")]
    public static partial void JobDone(this ILogger logger, string job);

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {Job} cancelled")]
    public static partial void JobCancelled(this ILogger logger, string job);

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {Job} handed back for another worker, or the next start, to go on with")]
    public static partial void JobHandedBack(this ILogger logger, string job);

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {Job} made room for a more urgent one; it goes on when a worker is free")]
    public static partial void JobGaveWay(this ILogger logger, string job);

    [LoggerMessage(Level = LogLevel.Information, Message = "Asked to make room for a more urgent one: {Jobs}")]
    public static partial void AskedToGiveWay(this ILogger logger, string jobs);

    [LoggerMessage(Level = LogLevel.Information, Message = "The worker for {Kind} works on {Device}")]
    public static partial void DeviceTaken(this ILogger logger, string kind, string device);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The worker for {Kind} waits: other workers have every device that it may use ({Devices}). dml workers lists them")]
    public static partial void NoDeviceFree(this ILogger logger, string kind, string devices);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Job {Job} waits: {Reason}")]
    public static partial void JobPostponed(this ILogger logger, string job, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Job} goes on elsewhere: {Reason}")]
    public static partial void JobLost(this ILogger logger, string job, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Job {Job} failed")]
    public static partial void JobFailed(this ILogger logger, Exception error, string job);

    [LoggerMessage(Level = LogLevel.Error, Message = "The {Kind} worker met an error; it goes on")]
    public static partial void WorkerFailed(this ILogger logger, Exception error, string kind);

    [LoggerMessage(Level = LogLevel.Information, Message = "Sent again {Count} × {Name}")]
    public static partial void Reconciled(this ILogger logger, int count, string name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Waiting for the broker: {Reason}")]
    public static partial void WaitingForBroker(this ILogger logger, string reason);
}
