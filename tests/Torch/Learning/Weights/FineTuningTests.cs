using DmlPipeline.Learning.Models;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;
using DmlPipeline.Learning.Weights;
using DmlPipeline.Tests.Torch.Learning.Training;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Weights;

public sealed class FineTuningTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("dml-fine-tuning-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_run_begins_with_the_pretrained_backbone_and_says_where_it_came_from()
    {
        var teacher = Train("teacher", "epochs: 1");
        WeightReport? report = null;

        // A rate of next to nothing: what the run ends with is what it began with.
        var pupil = Train("pupil", $"epochs: 1\npretrained: {teacher.ModelPath}\nfreeze_batch_norm: true\noptimiser: {{learning_rate: 1.0e-8, weight_decay: 0}}", found => report = found);

        Difference(teacher, pupil, "backbone.").ShouldBeLessThan(1e-5);
        report!.IsComplete.ShouldBeTrue();
        pupil.PretrainedSha256.ShouldBe(report.Sha256);
        report.Sha256.Length.ShouldBe(64);
        teacher.PretrainedSha256.ShouldBeNull();
    }

    [Fact]
    public void A_backbone_is_frozen_for_its_share_of_the_run_while_the_head_learns()
    {
        var teacher = Train("teacher", "epochs: 1");
        var start = $"epochs: 1\npretrained: {teacher.ModelPath}\nfreeze_batch_norm: true\n";

        var frozen = Train("frozen", start + "schedule: {freeze_backbone: 1}");
        var half = Train("half", start + "schedule: {freeze_backbone: 0.5}");

        Difference(teacher, frozen, "backbone.").ShouldBe(0);
        Difference(teacher, frozen, "embedding.").ShouldBeGreaterThan(0);
        Difference(teacher, half, "backbone.").ShouldBeGreaterThan(0);
    }

    [Fact]
    public void The_backbone_learns_as_much_slower_as_the_recipe_says()
    {
        var teacher = Train("teacher", "epochs: 1");
        var start = $"epochs: 1\nsteps_per_epoch: 1\npretrained: {teacher.ModelPath}\nfreeze_batch_norm: true\n";

        var usual = Train("usual", start + "optimiser: {weight_decay: 0}");
        var slower = Train("slower", start + "optimiser: {weight_decay: 0, backbone_learning_rate_multiplier: 0.1}");

        Difference(teacher, slower, "backbone.").ShouldBe(Difference(teacher, usual, "backbone.") / 10, 1e-6);
        Difference(teacher, slower, "embedding.").ShouldBe(Difference(teacher, usual, "embedding."), 1e-6);
    }

    [Fact]
    public void A_resumed_run_does_not_ask_for_the_weights_again()
    {
        var teacher = Train("teacher", "epochs: 1");
        var recipe = NoisyShapes.Recipe($"epochs: 2\npretrained: {teacher.ModelPath}");
        using var cancel = new CancellationTokenSource();
        var job = NoisyShapes.Job(Path.Combine(folder, "pupil"), recipe);
        TrainingLoop.Run(job with { CheckpointSaved = _ => cancel.Cancel() }, cancel.Token).End.ShouldBe(TrainingEnd.Cancelled);
        File.Delete(teacher.ModelPath!);

        var outcome = TrainingLoop.Run(job, CancellationToken.None);

        outcome.End.ShouldBe(TrainingEnd.Completed);
        outcome.PretrainedSha256.ShouldNotBeNull();
    }

    [Fact]
    public void Weights_that_are_not_there_end_the_run_before_it_begins()
    {
        Should.Throw<WeightException>(() => Train("pupil", "epochs: 1\npretrained: nowhere.pth")).Message.ShouldContain("nowhere.pth");
    }

    [Theory]
    [InlineData("freeze_batch_norm: true", "there is no 'pretrained'")]
    [InlineData("schedule: {freeze_backbone: 0.1}", "there is no 'pretrained'")]
    [InlineData("pretrained: \"\"", "give the path")]
    [InlineData("head: linear\nloss: {name: bn}", "must be batch-norm")]
    [InlineData("pretrained: a.pth\nhead: none\nschedule: {freeze_backbone: 0.1}", "nothing to learn")]
    [InlineData("backbone: resnet18\npooling: class-token", "which resnet18 does not have")]
    [InlineData("backbone: resnet81", "did you mean 'resnet18'")]
    [InlineData("pooling: gme", "did you mean 'gem'")]
    public void Settings_that_contradict_each_other_are_refused(string settings, string reason) =>
        Should.Throw<RecipeException>(() => RecipeFile.Parse($"epochs: 1\n{settings}", "mine.yaml")).Message.ShouldContain(reason);

    [Fact]
    public void Pretrained_weights_bring_their_normalisation_and_stem()
    {
        var recipe = NoisyShapes.Recipe("epochs: 1") with { Backbone = Backbone.Resnet18, Pretrained = "resnet18.pth" };
        using var train = NoisyShapes.Job(folder, recipe).Train;

        var spec = SpecOfRecipe.Of(recipe, train);

        spec.Stem.ShouldBe(ResNetStem.Standard);
        spec.Mean.ShouldHaveSingleItem().ShouldBe((0.485 + 0.456 + 0.406) / 3, 1e-12);
        SpecOfRecipe.Of(recipe with { Image = recipe.Image with { Normalisation = Normalisation.Half } }, train).Mean.ShouldBe([0.5]);
        SpecOfRecipe.Of(recipe with { Pretrained = null }, train).Stem.ShouldBe(ResNetStem.Auto);
    }

    private TrainingOutcome Train(string name, string settings, Action<WeightReport>? told = null) =>
        TrainingLoop.Run(NoisyShapes.Job(Path.Combine(folder, name), NoisyShapes.Recipe(settings)) with { PretrainedLoaded = told }, CancellationToken.None);

    /// <summary>The largest difference of two models' weights whose names begin so.</summary>
    private static double Difference(TrainingOutcome a, TrainingOutcome b, string prefix)
    {
        using var scope = NewDisposeScope();
        var (first, second) = (WeightFile.Read(a.ModelPath!).Tensors, WeightFile.Read(b.ModelPath!).Tensors);
        return first.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal) && entry.Value.is_floating_point())
            .Max(entry => (entry.Value - second[entry.Key]).abs().max().item<float>());
    }
}
