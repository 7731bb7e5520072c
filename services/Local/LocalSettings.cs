using DmlPipeline.Ingestion;
using DmlPipeline.Training;
using DmlPipeline.Training.Processes;

namespace DmlPipeline.Local;

/// <summary>How an embedded pipeline is started.</summary>
/// <param name="Home">Where everything is kept.</param>
public sealed record LocalSettings(PipelineHome Home)
{
    /// <summary>Preferred port of the HTTP interface; another free one is taken when it is in use.</summary>
    public int Port { get; init; } = 5180;

    /// <summary>Log lines on the terminal as well as in the log file.</summary>
    public bool LogToTerminal { get; init; }

    /// <summary>How to start other processes that share a training; null where that is not possible.</summary>
    public CompanionCommand? Companions { get; init; }

    public Action<TrainingOptions>? Training { get; init; }

    public Action<InboxOptions>? Inbox { get; init; }
}
