using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Training;

/// <summary>
/// When a dataset is worth training on again. One of these stands in the pipeline's settings, for every dataset that has none of its own;
/// with nothing set, every new version is trained on at once.
/// </summary>
public sealed record PolicySettings : IValidatableObject
{
    public const string Scratch = "scratch", Champion = "champion", Both = "both";
    public const string NoDrift = "off", Mmd = "mmd", Frechet = "frechet";

    /// <summary>Fewer images than this since the last training are not enough.</summary>
    [Range(1, int.MaxValue)]
    public int MinNewImages { get; set; } = 1;

    /// <summary>A smaller share of the dataset than this is not enough.</summary>
    [Range(0, 1)]
    public double MinNewShare { get; set; }

    /// <summary>As many new classes are enough, however few images; null: classes by themselves are no reason.</summary>
    [Range(1, int.MaxValue)]
    public int? NewClasses { get; set; }

    /// <summary>A last training longer ago than this, such as <c>30d</c>, is reason enough at a schedule's fire, without new data; null: age is no reason.</summary>
    public string? MaxAge { get; set; }

    /// <summary>Whether the embeddings of new images under the champion are compared with those of old ones: <c>mmd</c>, <c>frechet</c> or <c>off</c>.</summary>
    [AllowedValues(NoDrift, Mmd, Frechet)]
    public string Drift { get; set; } = NoDrift;

    /// <summary>Share of comparisons that find a drift where there is none.</summary>
    [Range(0.001, 0.5)]
    public double DriftAlpha { get; set; } = 0.01;

    /// <summary>The champion finds so much less among new labelled images than among old ones (recall@1): reason enough; null: not asked.</summary>
    [Range(0.001, 1)]
    public double? MaxRecallDrop { get; set; }

    /// <summary>No training begins sooner than this after the last one of the dataset, such as <c>6h</c>.</summary>
    public string CoolDown { get; set; } = "0s";

    /// <summary>New data is decided on when none has come for so long, such as <c>10m</c>; after ten times as long in any case. Many drops make one training.</summary>
    public string Debounce { get; set; } = "0s";

    /// <summary>What a training begins with: random weights (<c>scratch</c>), the champion's (<c>champion</c>), or <c>both</c>: the better one on validation stays.</summary>
    [AllowedValues(Scratch, Champion, Both)]
    public string Start { get; set; } = Scratch;

    /// <summary>Share of every batch that comes from images which the champion was trained on already; null: images are drawn alike. Only with <c>champion</c> or <c>both</c>.</summary>
    [Range(0, 0.95)]
    public double? Replay { get; set; }

    internal TimeSpan? Age => MaxAge is null ? null : Time(MaxAge);

    internal TimeSpan Cooling => Time(CoolDown);

    internal TimeSpan Quiet => Time(Debounce);

    public static PolicySettings Parse(string json) => JsonSerializer.Deserialize<PolicySettings>(json, ContractJson.Compact)!;

    public string ToJson() => JsonSerializer.Serialize(this, ContractJson.Compact);

    /// <summary>Every mistake, named as in files.</summary>
    public IReadOnlyList<string> Mistakes()
    {
        var found = new List<ValidationResult>();
        Validator.TryValidateObject(this, new ValidationContext(this), found, validateAllProperties: true);
        return [.. found.Select(mistake => mistake.ErrorMessage!)];
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (name, text) in new[] { ("max-age", MaxAge), ("cool-down", CoolDown), ("debounce", Debounce) })
            if (text is not null && !Duration.TryParse(text, out _)) yield return new ValidationResult($"{name}: '{text}' is no time: write for example 90s, 10m, 6h or 30d");
        if (Replay is not null && Start == Scratch) yield return new ValidationResult("replay: there is nothing to replay from scratch: leave it out, or write start: champion");
    }

    private static TimeSpan Time(string text) => Duration.TryParse(text, out var time) ? time : TimeSpan.Zero;
}
