using System.ComponentModel.DataAnnotations;

namespace DmlPipeline.Learning.Recipes;

/// <summary>Training that goes on from an earlier model of this pipeline instead of random weights.</summary>
public sealed record WarmStartSettings
{
    /// <summary>Its model.safetensors: a path, or artifact:KEY in the pipeline's store.</summary>
    public string Weights { get; init; } = "";

    /// <summary>The dataset version that it was trained on: images which that version has are old. Auto: unknown.</summary>
    [Range(1, int.MaxValue)]
    public int? TrainedOn { get; init; }

    /// <summary>Share of every batch that is old images. Auto: images are drawn alike.</summary>
    [Range(0, 0.95)]
    public double? Replay { get; init; }

    /// <summary>A second training begins with random weights, as long as the first; the model that is better on validation stays. Auto: no.</summary>
    public bool? AlsoFromScratch { get; init; }
}
