using DmlPipeline.Learning.Backbones;
using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Models;

namespace DmlPipeline.Learning.Recipes;

/// <summary>What no single setting can say: rules between settings.</summary>
internal static class RecipeRules
{
    /// <summary>Reports each broken rule as (key, problem).</summary>
    public static void Check(TrainingRecipe recipe, Action<string, string> report)
    {
        if (recipe is { Epochs: null, Budget: null }) report("epochs", "is missing: give either 'epochs: 20' or 'budget: 10m'");
        if (recipe is { Epochs: not null, Budget: not null }) report("budget", "cannot be given together with 'epochs': remove one of them");
        if (recipe.Image.Channels == 2) report("image.channels", "is 2; allowed: 1 (grey) or 3 (colour)");
        CheckSampler(recipe, report);
        CheckBackbone(recipe, report);
        ObjectiveRules.Check(recipe, report);
        CheckSchedule(recipe.Schedule, report);
        if (recipe.Optimiser is { Name: OptimiserKind.Sgd, Epsilon: not null }) report("optimiser.epsilon", "is an option of adamw, adam and rmsprop: sgd divides by nothing");
        CheckWarmStart(recipe, report);
        foreach (var problem in recipe.Augmentation?.Problems() ?? [])
        {
            var words = problem.Split(' ', 2); // "augmentation.rotate", "is degrees from 0 to 180, not 200."
            report(words[0], words[1].TrimEnd('.'));
        }
    }

    private static void CheckWarmStart(TrainingRecipe recipe, Action<string, string> report)
    {
        if (recipe.WarmStart is not { } start) return;
        if (string.IsNullOrWhiteSpace(start.Weights)) report("warm_start.weights", "is missing: give the path of a model.safetensors, or artifact:KEY");
        if (recipe.Pretrained is not null) report("pretrained", "cannot be given together with 'warm_start', which brings all weights");
        if (start is { Replay: not null, TrainedOn: null }) report("warm_start.replay", "needs 'warm_start.trained_on', the dataset version whose images are old");
        if (start.Replay is not null && recipe.Sampler.Kind is not (null or SamplerKind.Balanced or SamplerKind.Shuffled or SamplerKind.ClassBalanced))
            report("warm_start.replay", $"cannot divide the batches of sampler.kind {RecipeKeys.Name(recipe.Sampler.Kind)}: use balanced, shuffled or class-balanced");
    }

    private static void CheckSampler(TrainingRecipe recipe, Action<string, string> report)
    {
        var sampler = recipe.Sampler;
        OnlyOf(SamplerKind.Hierarchical, "super_classes", sampler.SuperClasses);
        OnlyOf(SamplerKind.SmartMining, "neighbours", sampler.Neighbours);
        OnlyOf(SamplerKind.FixedTriplets, "triplets", sampler.Triplets);
        if (sampler is { SuperClasses: { } folders, Classes: { } classes } && classes % folders != 0)
            report("sampler.classes", $"is {classes}, which cannot be shared equally among {folders} super-classes");
        if (!recipe.Loss.Entry.LearnsFromPairs) return;

        var loss = recipe.Loss.Name;
        if (sampler.Kind is SamplerKind.Shuffled or SamplerKind.ClassBalanced)
            report("sampler.kind", $"is {RecipeKeys.Name(sampler.Kind)}, but the loss '{loss}' learns from pairs within a batch: use balanced");
        if (sampler.Kind == SamplerKind.FixedTriplets) return;
        if (sampler.ImagesPerClass == 1) report("sampler.images_per_class", $"is 1, but the loss '{loss}' needs at least 2 images of a class in a batch");
        if (sampler.Classes == 1) report("sampler.classes", $"is 1, but the loss '{loss}' needs at least 2 classes in a batch");

        void OnlyOf(SamplerKind kind, string key, int? value)
        {
            if (value is not null && sampler.Kind != kind) report($"sampler.{key}", $"is an option of sampler.kind {RecipeKeys.Name(kind)} only");
        }
    }

    private static void CheckBackbone(TrainingRecipe recipe, Action<string, string> report)
    {
        if (recipe.Pretrained is { } path && string.IsNullOrWhiteSpace(path)) report("pretrained", "is empty: give the path of a file of weights, or leave it out");
        if (recipe is { Pretrained: null, FreezeBatchNorm: true }) report("freeze_batch_norm", "keeps pretrained statistics, but there is no 'pretrained'");
        if (recipe is { Pretrained: null, Schedule.FreezeBackbone: > 0 }) report("schedule.freeze_backbone", "keeps pretrained weights, but there is no 'pretrained'");
        if (recipe is { Head: EmbeddingHead.None, Schedule.FreezeBackbone: > 0, Loss.Entry.LearnsFromPairs: true })
            report("schedule.freeze_backbone", "leaves nothing to learn meanwhile: there is no head");
        if (recipe.Loss.Entry.NeedsBatchNormalisedFeatures && recipe.Head is EmbeddingHead.Linear or EmbeddingHead.None)
            report("head", $"must be batch-norm, which the loss '{recipe.Loss.Name}' needs");
        if (recipe.Backbone is not { } backbone) return;
        var entry = BackboneCatalogue.Get(RecipeKeys.Name(backbone));
        if (recipe.Pooling == Pooling.ClassToken && !entry.HasClassToken) report("pooling", $"is class-token, which {entry.Name} does not have");
        if (recipe.Image.Size is { } size && entry.Problem(new ImageShape(3, size, size)) is { } problem) report("image.size", $"does not fit: {problem}");
    }

    private static void CheckSchedule(ScheduleSettings schedule, Action<string, string> report)
    {
        for (var i = 1; i < schedule.DropAt.Length; i++)
            if (schedule.DropAt[i] <= schedule.DropAt[i - 1]) report("schedule.drop_at", "must rise: each share of the run is larger than the one before");
    }
}
