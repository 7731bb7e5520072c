using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Learning.Training;

/// <summary>What changes over a run, as pure functions of its progress: 0 = start, 1 = end of the epochs or of the time budget.</summary>
public static class Schedule
{
    /// <summary>What the peak learning rate is multiplied by.</summary>
    public static double LearningRateFactor(TrainingRecipe recipe, double progress)
    {
        var schedule = recipe.Schedule;
        // The first step of a warm-up must not stand still: it starts at a hundredth.
        if (progress < schedule.Warmup) return Math.Max(0.01, progress / schedule.Warmup);
        var after = Math.Clamp((progress - schedule.Warmup) / (1 - schedule.Warmup), 0, 1);
        var factor = schedule.Kind switch
        {
            ScheduleKind.Cosine => schedule.Final + ((1 - schedule.Final) * 0.5 * (1 + Math.Cos(Math.PI * after))),
            ScheduleKind.Step => Math.Pow(schedule.DropFactor, schedule.DropAt.Count(at => progress >= at)),
            _ => 1,
        };
        return IsHeated(recipe, progress) ? factor * recipe.Loss.HeatedLearningRate!.Value : factor;
    }

    /// <summary>What the loss's scale is multiplied by: heated-up softmax lowers it for the last part of the run.</summary>
    public static double LossScaleFactor(TrainingRecipe recipe, double progress) =>
        IsHeated(recipe, progress) ? recipe.Loss.HeatedScale!.Value : 1;

    private static bool IsHeated(TrainingRecipe recipe, double progress) =>
        recipe.Loss.HeatedShare is { } share && progress >= 1 - share;
}
