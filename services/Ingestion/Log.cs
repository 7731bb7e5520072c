using Microsoft.Extensions.Logging;

namespace DmlPipeline.Ingestion;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "The inbox could not be listed; it is tried again")]
    public static partial void ListingFailed(this ILogger logger, Exception error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Key} lies outside any dataset and is left alone: put it under inbox/<dataset>/")]
    public static partial void Misplaced(this ILogger logger, string key);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The inbox cannot be watched; it is listed every {Seconds} s instead")]
    public static partial void NotWatching(this ILogger logger, Exception error, double seconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "Drops could not be settled; it is tried again")]
    public static partial void SettlingFailed(this ILogger logger, Exception error);

    [LoggerMessage(Level = LogLevel.Information, Message = "Drop {DropId} of {Dataset} settled: {Objects} objects")]
    public static partial void Settled(this ILogger logger, string dropId, string dataset, int objects);

    [LoggerMessage(Level = LogLevel.Information, Message = "Drop {DropId} became {Dataset} v{Version}: {Images} images, {Quarantined} quarantined")]
    public static partial void Prepared(this ILogger logger, string dropId, string dataset, int version, int images, int quarantined);

    [LoggerMessage(Level = LogLevel.Information, Message = "Drop {DropId} of {Dataset} was {Recognition}")]
    public static partial void Recognised(this ILogger logger, string dropId, string dataset, string recognition);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Drop {DropId} of {Dataset} made no version: {Reason}")]
    public static partial void Rejected(this ILogger logger, string dropId, string dataset, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "The store tells of new objects in bucket {Bucket}; the inbox is listed all the same")]
    public static partial void EventsRegistered(this ILogger logger, string bucket);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The store cannot be asked to tell of new objects, so they are found by listing alone: {Reason}")]
    public static partial void NoEvents(this ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The store's events do not come in at the moment, so new objects are found by listing alone: {Reason}")]
    public static partial void EventsInterrupted(this ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The store's events could not be followed; the next listing finds their objects")]
    public static partial void EventsNotFollowed(this ILogger logger, Exception error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A message of {Bytes} bytes among the store's events is none that a store writes; it is dropped. Who else may publish to that exchange?")]
    public static partial void UnreadableEvent(this ILogger logger, int bytes);
}
