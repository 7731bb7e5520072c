using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;

namespace DmlPipeline.Tests.Torch.Learning.Training;

public sealed class ScheduleTests
{
    [Fact]
    public void Cosine_rises_through_the_warm_up_and_falls_to_its_floor()
    {
        var recipe = RecipeFile.Parse("epochs: 1\nschedule: {kind: cosine, warmup: 0.1, final: 0.02}", "a");

        Schedule.LearningRateFactor(recipe, 0).ShouldBe(0.01);
        Schedule.LearningRateFactor(recipe, 0.05).ShouldBe(0.5, 1e-12);
        Schedule.LearningRateFactor(recipe, 0.1).ShouldBe(1, 1e-12);
        Schedule.LearningRateFactor(recipe, 0.55).ShouldBe(0.51, 1e-12);
        Schedule.LearningRateFactor(recipe, 1).ShouldBe(0.02, 1e-12);
        Schedule.LearningRateFactor(recipe, 1.5).ShouldBe(0.02, 1e-12);
    }

    [Fact]
    public void Steps_drop_where_they_are_told_to()
    {
        var recipe = RecipeFile.Parse("epochs: 1\nschedule: {kind: step, warmup: 0, drop_at: [0.5, 0.7], drop_factor: 0.1}", "a");

        Schedule.LearningRateFactor(recipe, 0.49).ShouldBe(1);
        Schedule.LearningRateFactor(recipe, 0.5).ShouldBe(0.1, 1e-12);
        Schedule.LearningRateFactor(recipe, 0.9).ShouldBe(0.01, 1e-12);
    }

    [Fact]
    public void Heating_quarters_the_scale_and_lowers_the_rate_tenfold_for_the_last_quarter()
    {
        var recipe = RecipeFile.BuiltIn("hbn");

        (Schedule.LossScaleFactor(recipe, 0.74), Schedule.LearningRateFactor(recipe, 0.74)).ShouldBe((1, 1));
        (Schedule.LossScaleFactor(recipe, 0.75), Schedule.LearningRateFactor(recipe, 0.75)).ShouldBe((0.25, 0.1));
        Schedule.LossScaleFactor(RecipeFile.BuiltIn("bn"), 0.9).ShouldBe(1);
    }
}
