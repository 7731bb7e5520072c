using Microsoft.Extensions.Logging;

namespace DmlPipeline.Registry;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Registered {Model} v{Version} from run {RunId}: {Decision}")]
    public static partial void Registered(this ILogger logger, string model, int version, string runId, string decision);

    [LoggerMessage(Level = LogLevel.Information, Message = "Run {RunId} is judged again: it has not met the champion of today")]
    public static partial void JudgedAgain(this ILogger logger, string runId);
}
