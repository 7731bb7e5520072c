using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Tests.Torch.Learning.Recipes;

public sealed class DatasetDefaultsTests
{
    private static readonly DatasetFacts Drawings = new(GreyShare: 1, MedianWidth: 105, MedianHeight: 105, DarkOnLight: true, TrainClasses: 700, TrainImages: 14_000);

    public static TheoryData<string> Losses => [.. LossCatalogue.Names];

    [Theory]
    [MemberData(nameof(Losses))]
    public void Pair_losses_get_balanced_batches_and_class_weights_shuffled_ones(string loss)
    {
        var recipe = RecipeFile.Parse($"{{epochs: 1, loss: {{name: {loss}}}}}", "test");

        var resolved = DatasetDefaults.Resolve(recipe, Drawings);

        resolved.Sampler.Kind.ShouldBe(recipe.Loss.Entry.LearnsFromPairs ? SamplerKind.Balanced : SamplerKind.Shuffled);
    }

    [Fact]
    public void A_sampler_that_is_asked_for_is_kept()
    {
        var recipe = RecipeFile.Parse("{epochs: 1, loss: {name: ln}, sampler: {kind: balanced}}", "test");

        DatasetDefaults.Resolve(recipe, Drawings).Sampler.Kind.ShouldBe(SamplerKind.Balanced);
    }
}
