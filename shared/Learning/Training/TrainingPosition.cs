using System.Text.Json;

namespace DmlPipeline.Learning.Training;

/// <summary>Where a run stands besides its tensors: what a checkpoint keeps as JSON so that a resumed run goes on as if never interrupted.</summary>
public sealed record TrainingPosition
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public required string RecipeHash { get; init; }

    /// <summary>Whether the pass before the first step has been made.</summary>
    public bool IsPrepared { get; set; }

    /// <summary>SHA-256 of the file of weights that the run began with; null when they were random.</summary>
    public string? PretrainedSha256 { get; set; }

    /// <summary>Batches learnt from.</summary>
    public long Step { get; set; }

    /// <summary>Trained in all, over every session.</summary>
    public double Seconds { get; set; }

    /// <summary>Sums over the current epoch's steps.</summary>
    public double LossSum { get; set; }

    public int LossCount { get; set; }

    /// <summary>Sums over the current epoch's diagnosed steps.</summary>
    public double ActiveSum { get; set; }

    public double PositiveSum { get; set; }

    public double NegativeSum { get; set; }

    public int DiagnosedCount { get; set; }

    /// <summary>Smart mining: epochs of the sampler whose neighbours are known.</summary>
    public long MinedEpochs { get; set; }

    public int ValidationsSinceBest { get; set; }

    public EpochResult? Best { get; set; }

    public List<EpochResult> History { get; init; } = [];

    public bool StoppedEarly { get; set; }

    /// <summary>State of torch's generator.</summary>
    public byte[] Random { get; set; } = [];

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    public static TrainingPosition FromJson(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<TrainingPosition>(json, Json) ?? throw new InvalidDataException("The checkpoint's position is empty.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"The checkpoint's position is not valid JSON: {error.Message}", error);
        }
    }
}
