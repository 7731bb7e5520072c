using DmlPipeline.Learning.Backbones;
using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Learning.Models;

/// <summary>From a recipe and its training images to the model's specification.</summary>
public static class SpecOfRecipe
{
    private const int Sampled = 2000;

    /// <summary>The shape that images are to be loaded in.</summary>
    /// <exception cref="ArgumentException">The recipe still leaves something to the data set.</exception>
    public static ImageShape Shape(TrainingRecipe recipe)
    {
        if (!DatasetDefaults.IsResolved(recipe))
            throw new ArgumentException("The recipe still leaves settings to the data set: pass it through DatasetDefaults.Resolve first.");
        var size = recipe.Image.Size!.Value;
        return new ImageShape(recipe.Image.Channels!.Value, size, size);
    }

    /// <summary>Mean and deviation come from up to 2,000 evenly spaced training images; the validation and test images have no say.</summary>
    public static ModelSpec Of(TrainingRecipe recipe, ImageSet train)
    {
        var shape = Shape(recipe);
        var invert = recipe.Image.Invert!.Value;
        var (mean, std) = Pixels(recipe, train, invert);
        var spec = new ModelSpec(RecipeKeys.Name(recipe.Backbone!.Value), recipe.EmbeddingSize, shape, mean, std, invert)
        {
            Pooling = recipe.Pooling ?? Pooling.Auto,
            Head = recipe.Head ?? (recipe.Loss.Entry.NeedsBatchNormalisedFeatures ? EmbeddingHead.BatchNorm : EmbeddingHead.Linear),
            // Pretrained weights are for the stem that they were trained with.
            Stem = recipe.Image.Stem == ResNetStem.Auto && recipe.Pretrained is not null ? ResNetStem.Standard : recipe.Image.Stem,
        };
        return spec.Head == EmbeddingHead.None ? spec with { EmbeddingSize = EmbeddingModel.FeatureSize(spec) } : spec;
    }

    /// <summary>Which mean and deviation pixels are brought to zero and one by: the recipe's, else those of the pretrained weights, else the training images'.</summary>
    public static Normalisation NormalisationOf(TrainingRecipe recipe) =>
        recipe.Image.Normalisation
        ?? (recipe.Pretrained is null ? Normalisation.Dataset : BackboneCatalogue.Get(RecipeKeys.Name(recipe.Backbone!.Value)).Normalisation);

    private static (double[] Mean, double[] Std) Pixels(TrainingRecipe recipe, ImageSet train, bool invert)
    {
        var kind = NormalisationOf(recipe);
        if (kind != Normalisation.Dataset) return PixelStatistics.Of(kind, train.Shape);
        var (mean, std) = Statistics(train);
        return (invert ? [.. mean.Select(value => 1 - value)] : mean, std);
    }

    private static (double[] Mean, double[] Std) Statistics(ImageSet set)
    {
        var channels = set.Shape.Channels;
        var (sum, squares) = (new double[channels], new double[channels]);
        var pixels = new byte[set.Shape.Bytes];
        var plane = pixels.Length / channels;
        var count = Math.Min(Sampled, set.Count);
        for (var i = 0; i < count; i++)
        {
            set.CopyPixels((int)((long)i * set.Count / count), pixels);
            for (var p = 0; p < pixels.Length; p++)
            {
                var value = pixels[p] / 255.0;
                sum[p / plane] += value;
                squares[p / plane] += value * value;
            }
        }
        var n = Math.Max(1.0, (double)count * plane);
        var mean = sum.Select(value => value / n).ToArray();
        // A set of blank images has no deviation; one grey level keeps the division harmless.
        var std = squares.Select((value, c) => Math.Max(1 / 255.0, Math.Sqrt(Math.Max(0, (value / n) - (mean[c] * mean[c]))))).ToArray();
        return (mean, std);
    }
}
