using Microsoft.Extensions.Logging;

namespace DmlPipeline.Training;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Dataset} v{Version}: {Decision}, because {Reason}")]
    public static partial void Decided(this ILogger logger, string dataset, int version, Verdict decision, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "run {RunId} begins with the weights of {Report}")]
    public static partial void Pretrained(this ILogger logger, string runId, string report);

    [LoggerMessage(Level = LogLevel.Information, Message = "process {Rank}: {Line}")]
    public static partial void Companion(this ILogger logger, int rank, string line);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What ended runs have left in {Folder} could not be deleted; it is tried again")]
    public static partial void NotTidied(this ILogger logger, Exception error, string folder);
}
