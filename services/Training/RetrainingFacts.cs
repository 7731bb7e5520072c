using DmlPipeline.Learning.Evaluation.Drift;

namespace DmlPipeline.Training;

/// <summary>All that the retraining policy looks at, as it was when it looked; kept with the decision.</summary>
public sealed record RetrainingFacts
{
    public required DateTimeOffset Now { get; init; }

    /// <summary>At a schedule's fire; otherwise a new version asks.</summary>
    public bool Scheduled { get; init; }

    public bool Forced { get; init; }

    /// <summary>The dataset version that is decided on.</summary>
    public required int Version { get; init; }

    /// <summary>The newest there is.</summary>
    public required int Latest { get; init; }

    /// <summary>When the version that is decided on was made.</summary>
    public required DateTimeOffset VersionAt { get; init; }

    /// <summary>When the first of the versions was made that still wait to be decided on.</summary>
    public required DateTimeOffset WaitingSince { get; init; }

    public required int Images { get; init; }

    /// <summary>The newest version that a training has seen, or is to see; failed and cancelled trainings do not count.</summary>
    public int? TrainedVersion { get; init; }

    public DateTimeOffset? TrainedAt { get; init; }

    /// <summary>Images that no training has seen.</summary>
    public required int NewImages { get; init; }

    public required int NewClasses { get; init; }

    /// <summary>The champion's version number.</summary>
    public int? Champion { get; init; }

    /// <summary>Null until it is measured.</summary>
    public DriftReport? Drift { get; init; }

    /// <summary>Why drift cannot be measured.</summary>
    public string? DriftUnknown { get; init; }
}
