using DmlPipeline.Learning.Data;

namespace DmlPipeline.Learning.Recipes;

/// <summary>What the defaults depend on.</summary>
/// <param name="GreyShare">Share of images without colour, 0..1.</param>
/// <param name="MedianWidth">Pixels.</param>
/// <param name="MedianHeight">Pixels.</param>
/// <param name="DarkOnLight">Most borders are light: ink on paper.</param>
/// <param name="TrainClasses">Classes of the training split.</param>
/// <param name="TrainImages">Images of the training split.</param>
/// <param name="HasGpu">Training will run on a GPU.</param>
public sealed record DatasetFacts(
    double GreyShare, int MedianWidth, int MedianHeight, bool DarkOnLight, int TrainClasses, int TrainImages, bool HasGpu = false);

/// <summary>Fills in what a recipe leaves to the data set: a few rules, each with its reason, and no search.</summary>
public static class DatasetDefaults
{
    /// <summary>The recipe with nothing left on auto.</summary>
    public static TrainingRecipe Resolve(TrainingRecipe recipe, DatasetFacts facts)
    {
        var channels = recipe.Image.Channels ?? (facts.GreyShare >= 0.95 ? 1 : 3);
        var grey = channels == 1;
        return recipe with
        {
            Backbone = recipe.Backbone ?? (!grey && facts.HasGpu ? Backbone.Resnet18 : Backbone.Conv4),
            Image = recipe.Image with
            {
                Channels = channels,
                Size = recipe.Image.Size ?? Size(grey, facts),
                Invert = recipe.Image.Invert ?? (grey && facts.DarkOnLight),
            },
            Sampler = Sampler(recipe, facts),
            Augmentation = recipe.Augmentation ?? (grey ? Strokes with { TurnedClasses = TurnedClasses(recipe, facts) } : Photographs),
        };
    }

    /// <summary>Whether nothing is left on auto: only such a recipe can be trained.</summary>
    public static bool IsResolved(TrainingRecipe recipe) =>
        recipe is
        {
            Backbone: not null,
            Augmentation: not null,
            Image: { Size: not null, Channels: not null, Invert: not null },
            Sampler: { Classes: not null, ImagesPerClass: not null },
        };

    // Four images of one class say much the same to class weights: on Omniglot, ln reaches MAP@R 59.6 shuffled and 52.4 balanced after as many steps.
    internal static SamplerKind KindOfSampler(TrainingRecipe recipe) =>
        recipe.Sampler.Kind ?? (recipe.Loss.Entry.LearnsFromPairs ? SamplerKind.Balanced : SamplerKind.Shuffled);

    // Drawings, letters, marks: every affine change a hand could make. No mirror image: d is not b.
    private static Augmentation Strokes { get; } = new() { Rotate = 15, Scale = 0.15, Translate = 0.1, Shear = 10 };

    // A drawing turned by a quarter is another drawing, and more classes are what unseen classes profit from: on Omniglot's held-out alphabets, ten
    // minutes of ICE reach MAP@R 66.7 instead of 60.2 (experiments.md). Class weights need longer to learn four times as many classes.
    private static int TurnedClasses(TrainingRecipe recipe, DatasetFacts facts) =>
        facts.DarkOnLight && recipe.Loss.Entry.LearnsFromPairs ? 4 : 0;

    // Photographs: framing and light vary. No mirror image either: a left hand or a sign may be another class, and a recipe can switch it on.
    private static Augmentation Photographs { get; } =
        new() { Rotate = 10, Scale = 0.1, Translate = 0.1, Crop = 0.4, Brightness = 0.2, Contrast = 0.2, Saturation = 0.2 };

    private static int Size(bool grey, DatasetFacts facts)
    {
        // Omniglot: 32 pixels find 2.5 points more than 28 after equally many steps, for a quarter more time a step (experiments.md).
        if (grey) return 32;
        var side = Math.Min(facts.MedianWidth, facts.MedianHeight);
        if (facts.HasGpu) return Math.Clamp(side / 32 * 32, 32, 224);
        // Within a minute or ten on a CPU, 48 pixels beat 64 by the steps that they leave time for, and 32 by what they show.
        return side < 48 ? 32 : 48;
    }

    private static SamplerSettings Sampler(TrainingRecipe recipe, DatasetFacts facts)
    {
        var sampler = recipe.Sampler;
        var classes = sampler.Classes ?? Math.Clamp(facts.TrainClasses, 2, 32);
        // About 128 images in a batch: enough negatives for every anchor, and cores stay busy.
        var perClass = sampler.ImagesPerClass ?? Math.Clamp(128 / classes, 4, 16);
        return sampler with { Kind = KindOfSampler(recipe), Classes = classes, ImagesPerClass = perClass };
    }
}
