using System.ComponentModel.DataAnnotations;

namespace DmlPipeline.Ingestion;

public sealed class InboxOptions
{
    /// <summary>Seconds without a new or changed object after which a drop counts as complete. An object named _READY ends the wait at once.</summary>
    [Range(0.1, 86_400)]
    public double SettleSeconds { get; set; } = 3;

    /// <summary>Seconds between listings while nothing has happened. Listing is the truth; file events only make it sooner.</summary>
    [Range(1, 86_400)]
    public double ListSeconds { get; set; } = 30;
}
