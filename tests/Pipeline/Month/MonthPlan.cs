namespace DmlPipeline.Tests.Pipeline.Month;

/// <param name="Who">What asked: a version, <c>v3</c>, or a schedule.</param>
/// <param name="Decision"><c>trains</c>, <c>no</c>, or <c>skipped</c> for a fire that asked nothing.</param>
/// <param name="Why">What the reason says.</param>
internal sealed record Expected(string Who, string Decision, string Why);

/// <param name="Number">From 1.</param>
/// <param name="Happens">In words, for the table.</param>
/// <param name="Drawings">Drops of the evening: how many new drawings of every character each brings.</param>
/// <param name="Expected">All that is decided from noon to noon.</param>
internal sealed record Night(int Number, string Happens, int[] Drawings, params Expected[] Expected)
{
    /// <summary>The new drawings are white on black, as no drawing was before.</summary>
    public bool IsDrifted { get; init; }

    /// <summary>The drop comes shortly before the fire instead of in the evening.</summary>
    public bool IsLate { get; init; }

    /// <summary>No process runs from ten in the evening to noon.</summary>
    public bool IsDown { get; init; }

    /// <summary>From here on only the scheduler in the pipeline's own process runs; the other node is dead.</summary>
    public bool KillsNode { get; init; }

    public bool RestartsNode { get; init; }

    /// <summary>The file of schedules that is applied in the afternoon.</summary>
    public string? Applies { get; init; }

    public DateOnly Date => new DateOnly(2027, 3, 13).AddDays(Number);
}

/// <summary>
/// Thirty-one nights from the 14th of March 2027. In them clocks in Berlin are put forward (28 March) and clocks in Sydney are put back (4 April). A
/// schedule of every night in Berlin and one of every Sunday in Sydney, both at half past two; the night of Monday the 22nd is excluded.
/// </summary>
internal static class MonthPlan
{
    public const int Characters = 18;

    private const string Policy =
        """
        policies:
          letters: { min-new-images: 60, max-age: 8d12h, drift: mmd, cool-down: 12h, debounce: 2h }
        """;

    public const string Declared = $"""
        calendars:
          maintenance: [2027-03-22]
        schedules:
          nightly: {"{"} dataset: letters, cron: "30 2 * * *", timezone: Europe/Berlin, calendar: maintenance {"}"}
          sydney: {"{"} dataset: letters, cron: "30 2 * * 0", timezone: Australia/Sydney, missed: skip {"}"}
        {Policy}
        """;

    /// <summary>Embeddings of two values that learn next to nothing.</summary>
    public const string Worse = $"""
        calendars:
          maintenance: [2027-03-22]
        schedules:
          nightly: {"{"} dataset: letters, cron: "30 2 * * *", timezone: Europe/Berlin, calendar: maintenance, recipe: "{"{"}epochs: 1, embedding_size: 2, image: {"{"}size: 28{"}"}, optimiser: {"{"}learning_rate: 0.00001{"}"}, threads: 1{"}"}" {"}"}
          sydney: {"{"} dataset: letters, cron: "30 2 * * 0", timezone: Australia/Sydney, missed: skip {"}"}
        {Policy}
        """;

    private static Expected Nothing { get; } = new("nightly", "no", "nothing is new");

    private static Expected Cooling { get; } = new("nightly", "no", "cool-down is 12 h");

    public static IReadOnlyList<Night> Nights { get; } =
    [
        new(1, "the first 144 images", [8], new("v1", "trains", "first version of the dataset"), Cooling) { Applies = Declared },
        new(2, "", [], Nothing),
        new(3, "18 images", [1], new("v2", "no", "only 18 images are new since v1"), new("nightly", "no", "only 18 images are new since v1")),
        new(4, "the second scheduler is killed", [], new Expected("nightly", "no", "only 18 images")) { KillsNode = true },
        new(5, "three drops of 18 images in a row", [1, 1, 1], new("v3", "no", "v5 came before v3"), new("v4", "no", "v5 came before v4"), new("v5", "trains", "72 images are new since v1"), Cooling),
        new(6, "no process runs until noon", [], new Expected("nightly", "no", "nothing is new")) { IsDown = true },
        new(7, "the second scheduler is back; Sunday in Sydney", [], new("sydney", "no", "nothing is new"), Nothing) { RestartsNode = true },
        new(8, "excluded from the calendar", []),
        new(9, "54 images of the same kind", [3], new("v6", "no", "no drift: MMD²"), new("nightly", "no", "no drift: MMD²")),
        new(10, "18 images more", [1], new("v7", "trains", "72 images are new since v5"), Cooling),
        new(11, "", [], Nothing),
        new(12, "54 images, white on black: a drift", [3], new("v8", "trains", "the new images look different to champion"), Cooling) { IsDrifted = true },
        new(13, "", [], Nothing),
        new(14, "clocks in Berlin go from 2 to 3", [], new("sydney", "no", "nothing is new"), Nothing),
        new(15, "", [], Nothing),
        new(16, "", [], Nothing),
        new(17, "", [], Nothing),
        new(18, "", [], Nothing),
        new(19, "", [], Nothing),
        new(20, "a worse recipe, and 72 images just before the fire", [4], new("nightly", "trains", "72 images are new since v8"), new("v9", "no", "v9 is trained on already")) { Applies = Worse, IsLate = true },
        new(21, "clocks in Sydney go from 3 to 2", [], new("sydney", "no", "nothing is new"), Nothing) { Applies = Declared },
        new(22, "", [], Nothing),
        new(23, "", [], Nothing),
        new(24, "", [], Nothing),
        new(25, "", [], Nothing),
        new(26, "", [], Nothing),
        new(27, "", [], Nothing),
        new(28, "", [], new("sydney", "no", "nothing is new"), Nothing),
        new(29, "the last training is more than 8.5 days old", [], new Expected("nightly", "trains", "the policy allows 8.5 days")),
        new(30, "", [], Nothing),
        new(31, "", [], Nothing),
    ];
}
