using System.ComponentModel.DataAnnotations;

namespace DmlPipeline.Training;

public sealed class TrainingOptions
{
    /// <summary>Train by itself on every new dataset version.</summary>
    public bool OnNewData { get; set; } = true;

    /// <summary>Recipe of trainings that nobody gave one: a built-in name, or the text of a recipe. A dataset's own recipe goes first.</summary>
    [Required]
    public string Recipe { get; set; } = "default";

    /// <summary>Training time such as <c>10m</c> that replaces the recipe's epochs or budget; null keeps the recipe's.</summary>
    public string? Budget { get; set; }

    /// <summary>Seed that replaces the recipe's; null keeps the recipe's.</summary>
    public long? Seed { get; set; }

    /// <summary>CPU threads of torch when the recipe leaves them open; 0 = one per core.</summary>
    [Range(0, 1024)]
    public int Threads { get; set; }

    /// <summary>Processes of this machine that share a run whose recipe does not say: one for each GPU, say. The result is the same, but for rounding.</summary>
    [Range(1, 64)]
    public int Processes { get; set; } = 1;

    /// <summary>What it trains on: <c>auto</c> (the first GPU that no other worker has; the CPU where there is none), <c>cpu</c>, or <c>cuda:1</c>.</summary>
    [RegularExpression("auto|cpu|cuda:[0-9]{1,2}", ErrorMessage = "Training:Device is auto, cpu, or a GPU by number such as cuda:0")]
    public string Device { get; set; } = "auto";

    /// <summary>What a run may ask for besides device and memory, by commas: <c>site=berlin,fast-disk=yes</c>.</summary>
    [RegularExpression("([a-z][a-z0-9-]*=[^=,]+)(,[a-z][a-z0-9-]*=[^=,]+)*", ErrorMessage = "Training:Labels are names with values, by commas, such as site=berlin,fast-disk=yes")]
    public string? Labels { get; set; }

    /// <summary>How long a run trains before it makes room for one of high priority; twice as long each time that it did.</summary>
    [Range(0, 7 * 24 * 3600)]
    public int UndisturbedSeconds { get; set; } = 60;

    /// <summary>Scratch folder for running trainings. What must last is copied to the artifact store.</summary>
    [Required]
    public string WorkFolder { get; set; } = Path.Combine(Path.GetTempPath(), "dml-training");

    /// <summary>Bytes of decoded images kept in memory: 2 GiB. Larger datasets are decoded again in every epoch.</summary>
    [Range(1, long.MaxValue)]
    public long ImageCacheBytes { get; set; } = 2L << 30;
}
