using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Search;

namespace DmlPipeline.Tests.Torch.Learning.Search;

public sealed class SearchSpaceTests
{
    private const string Yaml =
        """
        loss.scale: {log_range: [4, 64]}
        optimiser.weight_decay: {range: [0, 0.1]}
        sampler.images_per_class: {whole_range: [2, 5]}
        embedding_size: [64, 128]
        schedule.kind: {choices: [cosine, constant]}
        """;

    [Fact]
    public void A_space_is_read_from_yaml_and_written_again()
    {
        var space = SearchSpace.Parse(Yaml, "space.yaml");

        space.Parameters.Select(parameter => (parameter.Key, parameter.Kind)).ShouldBe(
        [
            ("loss.scale", ParameterKind.LogRange), ("optimiser.weight_decay", ParameterKind.Range), ("sampler.images_per_class", ParameterKind.WholeRange),
            ("embedding_size", ParameterKind.Choices), ("schedule.kind", ParameterKind.Choices),
        ]);
        SearchSpace.Parse(space.ToYaml(), "again").ToYaml().ShouldBe(space.ToYaml());
    }

    [Fact]
    public void Every_place_has_a_value_within_its_range()
    {
        var space = SearchSpace.Parse(Yaml, "space.yaml");
        double[] Values(int parameter) => [.. Enumerable.Range(0, 1000).Select(i => double.Parse(space.Parameters[parameter].At(i / 1000.0), System.Globalization.CultureInfo.InvariantCulture))];

        (Values(0).Min(), Values(0)[500], Values(0).Max()).ShouldBe((4, 16, 63.82));
        Values(2).Distinct().ShouldBe([2, 3, 4, 5]);
        Values(2).Count(value => value == 5).ShouldBe(250);
        Enumerable.Range(0, 4).Select(i => space.Parameters[4].At(i / 4.0)).ShouldBe(["cosine", "cosine", "constant", "constant"]);
    }

    [Fact]
    public void Mistakes_are_listed_with_their_lines()
    {
        var error = Should.Throw<RecipeException>(() => SearchSpace.Parse(
            """
            loss.scale: 16
            loss.margin: {range: [1, 0]}
            a: {log_range: [0, 1]}
            b: {whole_range: [1, 2.5]}
            c: [1]
            """, "space.yaml"));

        error.Errors.Count.ShouldBe(5);
        error.Errors[1].ShouldBe("space.yaml, line 2: 'loss.margin' must give two numbers, the smaller one first.");
        Should.Throw<RecipeException>(() => SearchSpace.Parse("", "space.yaml")).Message.ShouldContain("names no setting");
        Should.Throw<RecipeException>(() => SearchSpace.Parse("a: [", "space.yaml")).Message.ShouldContain("not valid YAML");
    }

    [Fact]
    public void A_space_that_the_recipe_does_not_allow_is_refused_before_anything_is_trained()
    {
        var space = SearchSpace.Parse("loss.scale: {log_range: [4, 1000000]}\nloss.beauty: [1, 2]\nschedule.kind: [cosine, cubic]", "space.yaml");

        var error = Should.Throw<RecipeException>(() => space.Check(RecipeFile.BuiltIn("ice")));

        error.Errors.Count.ShouldBe(3);
        error.Message.ShouldContain("loss.scale");
        error.Message.ShouldContain("loss.beauty");
        error.Message.ShouldContain("cubic");
        SearchSpace.Parse(Yaml, "space.yaml").Check(RecipeFile.BuiltIn("ice"));
    }

    [Fact]
    public void A_recipe_is_varied_by_the_keys_of_its_file()
    {
        var varied = RecipeVariation.Apply(RecipeFile.BuiltIn("ice"), new Dictionary<string, string>
        {
            ["loss.scale"] = "24", ["sampler.images_per_class"] = "3", ["schedule.kind"] = "constant", ["optimiser.learning_rate"] = "0.0012",
        });

        varied.Sampler.ImagesPerClass.ShouldBe(3);
        varied.Schedule.Kind.ShouldBe(ScheduleKind.Constant);
        varied.Optimiser.LearningRate.ShouldBe(0.0012);
        RecipeVariation.Differences(RecipeFile.BuiltIn("ice"), varied).ShouldBe(["loss.scale", "optimiser.learning_rate", "sampler.images_per_class", "schedule.kind"]);
    }

    [Fact]
    public void Another_loss_starts_from_its_own_defaults()
    {
        var varied = RecipeVariation.Apply(RecipeFile.BuiltIn("ice"), new Dictionary<string, string> { ["loss.name"] = "circle" });

        RecipeVariation.Differences(varied, RecipeFile.BuiltIn("circle")).ShouldNotContain("loss.margin");
        RecipeVariation.ToYaml(varied).ShouldContain("  margin: 0.4\n");
    }

    [Theory]
    [MemberData(nameof(BuiltIns))]
    public void A_built_in_recipe_written_as_yaml_is_read_back_the_same(string name)
    {
        var recipe = RecipeFile.BuiltIn(name);

        RecipeFile.Hash(RecipeFile.Parse(RecipeVariation.ToYaml(recipe), name)).ShouldBe(RecipeFile.Hash(recipe));
    }

    [Theory]
    [MemberData(nameof(BuiltIns))]
    public void Every_built_in_recipe_has_a_space_to_search_that_it_allows(string name)
    {
        var recipe = RecipeFile.BuiltIn(name);

        var space = DefaultSpace.Of(recipe);

        space.Parameters.Select(parameter => parameter.Key).ShouldContain("optimiser.learning_rate");
        space.Check(recipe);
    }

    [Fact]
    public void The_default_space_lies_about_the_recipes_values_as_far_as_they_are_allowed()
    {
        var space = DefaultSpace.Of(RecipeFile.BuiltIn("circle"));

        space.Parameters.Single(parameter => parameter.Key == "loss.scale").Describe().ShouldBe("16 … 400, log");
        space.Parameters.Single(parameter => parameter.Key == "loss.margin").Describe().ShouldBe("0.08 … 0.999, log");
    }

    public static TheoryData<string> BuiltIns => [.. RecipeFile.BuiltInNames];
}
