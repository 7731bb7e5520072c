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
}
