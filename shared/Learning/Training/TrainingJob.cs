using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Weights;
using DmlPipeline.Torch;

namespace DmlPipeline.Learning.Training;

/// <summary>One training run: what it learns from, where it writes, whom it tells.</summary>
public sealed record TrainingJob
{
    /// <summary>With nothing left on auto.</summary>
    public required TrainingRecipe Recipe { get; init; }

    public required ImageSet Train { get; init; }

    /// <summary>Other classes than <see cref="Train"/>; null when there are too few: the last weights are the result then.</summary>
    public ImageSet? Validation { get; init; }

    /// <summary>Everything is written here: checkpoints, metrics.jsonl, best.safetensors and at the end model.safetensors. A run continues from the
    /// checkpoint that it finds here.</summary>
    public required string Folder { get; init; }

    /// <summary>Where the recipe's pretrained weights lie on this machine; null: where the recipe says.</summary>
    public string? PretrainedFile { get; init; }

    /// <summary>Where the model that the recipe goes on from lies on this machine; null: where the recipe says.</summary>
    public string? WarmStartFile { get; init; }

    /// <summary>Which images of <see cref="Train"/> the model that the recipe goes on from was trained on; null when that makes no difference.</summary>
    public bool[]? Old { get; init; }

    /// <summary>Told once, before the first step, what became of each pretrained tensor.</summary>
    public Action<WeightReport>? PretrainedLoaded { get; init; }

    /// <summary>"cpu", "cuda", "cuda:1", or null for the GPU where there is one.</summary>
    public string? Device { get; init; }

    /// <summary>The processes that share each batch. Rank 0 runs the training loop, decides, validates and writes; the others follow it.</summary>
    public ProcessGroup Group { get; init; } = ProcessGroup.Solo;

    /// <summary>CPU threads of this process, instead of the recipe's; where several share a machine, its part of them.</summary>
    public int? Threads { get; init; }

    /// <summary>Told after every epoch and about once a second.</summary>
    public Action<TrainingProgress>? Progressed { get; init; }

    /// <summary>Told the path of every checkpoint written, which stays valid until the next one but one.</summary>
    public Action<string>? CheckpointSaved { get; init; }

    /// <summary>Longest time between two checkpoints; there is one after every epoch too.</summary>
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Measures the budget.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
