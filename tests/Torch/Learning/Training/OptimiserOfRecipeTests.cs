using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;
using DmlPipeline.Torch;
using TorchSharp;
using TorchSharp.Modules;

namespace DmlPipeline.Tests.Torch.Learning.Training;

public sealed class OptimiserOfRecipeTests
{
    // The first step from gradient 2 at rate 0.1 without weight decay, by each optimiser's definition.
    [Theory]
    [InlineData("{name: sgd, momentum: 0.5}", -0.2)]
    [InlineData("{name: adamw}", -0.1)]
    [InlineData("{name: adam}", -0.1)]
    [InlineData("{name: adam, epsilon: 2}", -0.05)]
    [InlineData("{name: adamw, epsilon: 2}", -0.05)]
    [InlineData("{name: rmsprop, momentum: 0}", -1)]
    [InlineData("{name: rmsprop, epsilon: 0.2}", -0.5)]
    public void A_recipe_names_its_optimiser_and_its_options(string settings, double expected)
    {
        using var scope = torch.NewDisposeScope();
        var recipe = RecipeFile.Parse($"epochs: 1\noptimiser: {settings}\n", "test");
        var parameter = new Parameter(torch.zeros(1));
        using var optimiser = OptimiserOfRecipe.Make(recipe.Optimiser, [new ParameterGroup([parameter], 0.1, 0)]);
        parameter.grad = torch.full(1, 2f);

        optimiser.Step();

        ((double)parameter.item<float>()).ShouldBe(expected, 1e-5);
    }

    [Fact]
    public void Sgd_has_no_epsilon() =>
        Should.Throw<RecipeException>(() => RecipeFile.Parse("epochs: 1\noptimiser: {name: sgd, epsilon: 0.1}\n", "test")).Message.ShouldContain("optimiser.epsilon");
}
