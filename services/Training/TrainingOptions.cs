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

    /// <summary>Scratch folder for running trainings. What must last is copied to the artifact store.</summary>
    [Required]
    public string WorkFolder { get; set; } = Path.Combine(Path.GetTempPath(), "dml-training");

    /// <summary>Bytes of decoded images kept in memory: 2 GiB. Larger datasets are decoded again in every epoch.</summary>
    [Range(1, long.MaxValue)]
    public long ImageCacheBytes { get; set; } = 2L << 30;
}
