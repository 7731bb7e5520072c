using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;

namespace DmlPipeline.Tests.Torch.Learning.Recipes;

/// <summary>The settings of papers that come with the pipeline.</summary>
public sealed class PaperRecipeTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("dml-papers-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static readonly string[] Halves = ["cars196", "cub200", "sop"];

    internal static readonly string[] Names =
    [
        .. Halves.Append("inshop").Select(dataset => $"heated-up-{dataset}"), .. Halves.Select(dataset => $"circle-{dataset}"), .. Halves.Select(dataset => $"ice-{dataset}"),
        .. Halves.SelectMany(dataset => new[] { "contrastive", "cosface", "multi-similarity", "normalised-softmax" }.Select(loss => $"reality-check-{dataset}-{loss}")),
    ];

    public static TheoryData<string> All => [.. Names];

    [Theory]
    [MemberData(nameof(All))]
    public void A_papers_recipe_names_its_row_and_reads_without_a_mistake(string name)
    {
        var recipe = RecipeFile.BuiltIn(name);

        RecipeFile.BuiltInText(name).Split('\n')[0].ShouldMatch(@"^# .+ on (CUB-200-2011|Cars196|Stanford Online Products|In-Shop), (for the Reality Check's )?row .+ \(arXiv \d{4}\.\d{5}\): .*\d");
        recipe.Pretrained.ShouldNotBeNull().ShouldStartWith("artifact:weights/");
        recipe.Image.Normalisation.ShouldNotBeNull();
        var resolved = DatasetDefaults.Resolve(recipe, new DatasetFacts(0, 500, 375, DarkOnLight: false, 90, 5_300));
        RecipeFile.ToCanonicalJson(RecipeFile.Parse(RecipeFile.ToCanonicalJson(resolved), name)).ShouldBe(RecipeFile.ToCanonicalJson(resolved));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Its_loss_sampler_and_optimiser_train_together(string name)
    {
        // As stated, but on a network and on images that take no time.
        var paper = RecipeFile.BuiltIn(name);
        var recipe = paper with
        {
            Backbone = Backbone.Conv4, Pretrained = null, FreezeBatchNorm = null, Epochs = 1, StepsPerEpoch = 2, ValidateEvery = 1, Threads = 1,
            Image = paper.Image with { Size = 16, Normalisation = null },
        };
        var resolved = DatasetDefaults.Resolve(recipe, new DatasetFacts(0, 16, 16, DarkOnLight: false, 40, 200));

        var outcome = TrainingLoop.Run(
            new TrainingJob { Recipe = resolved, Train = Noise(classes: 40, seed: 1), Validation = Noise(classes: 4, seed: 2), Folder = folder, Device = "cpu" }, CancellationToken.None);

        outcome.End.ShouldBe(TrainingEnd.Completed);
        double.IsFinite(outcome.History.ShouldHaveSingleItem().Loss).ShouldBeTrue();
        outcome.Best.ShouldNotBeNull().ValidationMapAtR.ShouldNotBeNull();
    }

    [Fact]
    public void They_hold_what_the_papers_state()
    {
        var heated = RecipeFile.BuiltIn("heated-up-sop");
        (heated.EmbeddingSize, heated.Epochs, heated.Loss.Name, heated.Loss.Number("scale")).ShouldBe((64, 80, "hbn", 16));
        (heated.Optimiser.Name, heated.Optimiser.LearningRate, heated.Optimiser.Epsilon).ShouldBe((OptimiserKind.Adam, 0.01, 0.01));
        (heated.Sampler.Kind, heated.Sampler.Classes * heated.Sampler.ImagesPerClass).ShouldBe((SamplerKind.Shuffled, 32));

        var circle = RecipeFile.BuiltIn("circle-cub200");
        (circle.EmbeddingSize, circle.Loss.Number("scale"), circle.Loss.Number("margin"), circle.Sampler.Classes, circle.Sampler.ImagesPerClass).ShouldBe((512, 80, 0.4, 16, 5));
        (circle.Epochs * circle.StepsPerEpoch).ShouldBe(3_000);

        var cosface = RecipeFile.BuiltIn("reality-check-cars196-cosface");
        (cosface.Loss.Number("margin"), cosface.Loss.Number("scale"), cosface.FreezeBatchNorm).ShouldBe((0.4324, 161.5, true));
        (cosface.Optimiser.Name, cosface.Optimiser.LearningRate, cosface.Optimiser.Momentum, cosface.Optimiser.WeightDecay).ShouldBe((OptimiserKind.Rmsprop, 1e-6, 0.9, 1e-4));
        (cosface.Optimiser.LearningRate * cosface.Optimiser.LossLearningRateMultiplier).ShouldBe(7.41e-3, 1e-9);
        RecipeFile.BuiltIn("ice-cars196").Loss.Number("scale").ShouldBe(1 / 0.0219, 0.01);
    }

    private static ImageSet Noise(int classes, int seed)
    {
        const int imagesEach = 5;
        var shape = new ImageShape(3, 16, 16);
        var pixels = new byte[classes * imagesEach * shape.Bytes];
        new Random(seed).NextBytes(pixels);
        return ImageSet.FromPixels(shape, [.. Enumerable.Range(0, classes * imagesEach).Select(i => $"class {i / imagesEach:00}")], pixels);
    }
}
