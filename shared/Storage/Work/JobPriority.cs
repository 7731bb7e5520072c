namespace DmlPipeline.Storage.Work;

/// <summary>How urgent a job is. A larger number goes first.</summary>
public enum JobPriority
{
    /// <summary>When there is nothing else to do, as what a schedule asks for at night. After a day of waiting it goes with the normal ones.</summary>
    Low = -1,

    /// <summary>In turn.</summary>
    Normal = 0,

    /// <summary>Before all others; when no worker is free, one of them makes room.</summary>
    High = 1,
}

/// <summary>Priorities as people and messages write them.</summary>
public static class JobPriorities
{
    public static IReadOnlyList<string> Names { get; } = ["high", "normal", "low"];

    public static string Name(this JobPriority priority) => priority.ToString().ToLowerInvariant();

    /// <returns>Null when it is none of the names.</returns>
    public static JobPriority? Parse(string name) => name switch
    {
        "high" => JobPriority.High,
        "normal" => JobPriority.Normal,
        "low" => JobPriority.Low,
        _ => null,
    };
}
