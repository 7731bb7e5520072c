using Microsoft.Extensions.Logging;

namespace DmlPipeline.Registry;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Registered {Model} v{Version} from run {RunId}: {Decision}")]
    public static partial void Registered(this ILogger logger, string model, int version, string runId, string decision);

    [LoggerMessage(Level = LogLevel.Information, Message = "Run {RunId} is judged again: it has not met the champion of today")]
    public static partial void JudgedAgain(this ILogger logger, string runId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Told webhook {Webhook} of {Event}")]
    public static partial void WebhookDelivered(this ILogger logger, string @event, string webhook);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Webhook {Webhook} was not told of {Event}, attempt {Attempt}: {Error}")]
    public static partial void WebhookRefused(this ILogger logger, string @event, string webhook, long attempt, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "Webhooks could not be looked after")]
    public static partial void WebhooksFailed(this ILogger logger, Exception error);
}
