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
        return factor * Heating(recipe, progress).Rate;
    }

    /// <summary>What the loss's scale is multiplied by: heated-up softmax lowers it for the last part of the run.</summary>
    public static double LossScaleFactor(TrainingRecipe recipe, double progress) => Heating(recipe, progress).Scale;

    private static (double Scale, double Rate) Heating(TrainingRecipe recipe, double progress)
    {
        var loss = recipe.Loss;
        if (!loss.Has("heating")) return (1, 1);
        if (loss.Choice("heating") == "smooth")
        {
            // Every 10 of 80 epochs, as the official code's --alpha_decay.
            var steps = Math.Floor(Math.Clamp(progress, 0, 0.999_999) * 8);
            return (Math.Pow(1.41, -steps), Math.Pow(0.562, steps));
        }
        return progress >= 1 - loss.Number("heated_share") ? (loss.Number("heated_scale"), loss.Number("heated_learning_rate")) : (1, 1);
    }
}
