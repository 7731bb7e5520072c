using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Tests.Torch.Learning.Recipes;

public sealed class RecipeFileTests
{
    [Fact]
    public void Yaml_and_json_give_the_same_recipe_and_hash()
    {
        var yaml = RecipeFile.Parse("epochs: 3\nloss:\n  name: circle\n  margin: 0.3\nimage: {size: 32}\n", "a.yaml");
        var json = RecipeFile.Parse("""{"image": {"size": 32}, "loss": {"margin": 0.3, "name": "circle"}, "epochs": 3}""", "a.json");

        yaml.Loss.Name.ShouldBe("circle");
        yaml.Image.Size.ShouldBe(32);
        RecipeFile.Hash(json).ShouldBe(RecipeFile.Hash(yaml));
    }

    [Fact]
    public void A_loss_option_that_counts_something_must_be_whole() =>
        Should.Throw<RecipeException>(() => RecipeFile.Parse("epochs: 1\nloss: {name: l-softmax, margin: 2.5}", "a")).Message
            .ShouldBe("a, line 2: 'loss.margin' must be a whole number, not '2.5'.");

    [Fact]
    public void Defaults_spelt_out_do_not_change_the_hash()
    {
        var brief = RecipeFile.Parse("epochs: 3", "a");
        var full = RecipeFile.Parse("epochs: 3\nembedding_size: 128\nloss: {name: ice, scale: 16.0, positives: mean}\nbackbone: auto\nseed: 0", "b");

        RecipeFile.ToCanonicalJson(full).ShouldBe(RecipeFile.ToCanonicalJson(brief));
        RecipeFile.Hash(full).ShouldBe(RecipeFile.Hash(brief));
    }

    [Fact]
    public void Every_setting_changes_the_hash()
    {
        var hashes = new[]
        {
            "epochs: 3", "epochs: 4", "budget: 3s", "epochs: 3\nseed: 1", "epochs: 3\nloss: {scale: 17}", "epochs: 3\nschedule: {drop_at: [0.6]}",
            "epochs: 3\naugmentation: {rotate: 5}", "epochs: 3\nimage: {invert: true}",
        }.Select(text => RecipeFile.Hash(RecipeFile.Parse(text, "a")));

        hashes.ShouldBeUnique();
    }

    [Fact]
    public void Canonical_json_reads_back_as_itself()
    {
        foreach (var name in RecipeFile.BuiltInNames)
        {
            var facts = new DatasetFacts(1, 105, 105, DarkOnLight: true, 700, 14_000);
            var canonical = RecipeFile.ToCanonicalJson(DatasetDefaults.Resolve(RecipeFile.BuiltIn(name), facts));

            RecipeFile.ToCanonicalJson(RecipeFile.Parse(canonical, name)).ShouldBe(canonical);
        }
    }

    [Fact]
    public void Built_in_recipes_are_there_and_hold_what_their_names_say()
    {
        string[] general = ["bn", "circle", "circle-class", "default", "hbn", "hln", "ice", "ln", "photographs", "softmax"];
        RecipeFile.BuiltInNames.Except(PaperRecipeTests.Names).ShouldBe(general);
        foreach (var name in general.Where(name => name is not ("default" or "photographs")))
            RecipeFile.ToCanonicalJson(RecipeFile.BuiltIn(name)).ShouldContain($"\"name\":\"{name}\"");
        var heated = RecipeFile.BuiltIn("hbn").Loss;
        (heated.Number("scale"), heated.Number("heated_scale"), heated.Number("heated_share"), heated.Number("heated_learning_rate")).ShouldBe((16, 0.25, 0.25, 0.1));
    }

    [Theory]
    [InlineData("epochs: 3\nlos: {name: ice}", "line 2", "'los' is not a setting", "did you mean 'loss'?")]
    [InlineData("epochs: 3\nloss:\n  nme: ice", "line 3", "'loss.nme' is not an option of the loss 'ice'", "did you mean 'name'?")]
    [InlineData("epochs: 3\nloss: {name: cirle}", "line 2", "'loss.name' must be one of ice, circle, circle-class", "did you mean 'circle'?")]
    [InlineData("epochs: many", "line 1", "'epochs' must be a whole number, not 'many'")]
    [InlineData("epochs: \"3\"", "line 1", "'epochs' must be a whole number, not the text \"3\"")]
    [InlineData("epochs: 2.5", "line 1", "'epochs' must be a whole number")]
    [InlineData("epochs: 0", "line 1", "'epochs' is '0', out of range; allowed: 1 to 100000")]
    [InlineData("epochs: 3\noptimiser: {learning_rate: .nan}", "line 2", "'optimiser.learning_rate' must be a number")]
    [InlineData("epochs: 3\noptimiser: {learning_rate: -1}", "line 2", "out of range")]
    [InlineData("epochs: 3\nseed: auto", "line 2", "'seed' must be a whole number, not 'auto'")]
    [InlineData("epochs: 3\nimage: 28", "line 2", "'image' must hold settings (key: value), not '28'")]
    [InlineData("epochs: [3]", "line 1", "must be a whole number, not a list")]
    [InlineData("budget: 10", "line 1", "'budget' must be a time with its unit, such as 90s, 10m or 1h30m")]
    [InlineData("budget: 99999h", "line 1", "out of range", "seconds")]
    [InlineData("seed: 1", "'epochs' is missing: give either 'epochs: 20' or 'budget: 10m'")]
    [InlineData("epochs: 3\nbudget: 10m", "line 2", "cannot be given together with 'epochs'")]
    [InlineData("epochs: 3\nloss: {name: ice, margin: 0.1}", "line 2", "'loss.margin' is not an option of the loss 'ice'; it has positives, scale")]
    [InlineData("epochs: 3\nloss: {name: ice}\nsampler: {kind: shuffled}", "line 3", "learns from pairs")]
    [InlineData("epochs: 3\nsampler: {images_per_class: 1}", "line 2", "at least 2 images")]
    [InlineData("epochs: 3\naugmentation: {rotate: 200}", "line 2", "'augmentation.rotate' is degrees from 0 to 180, not 200")]
    [InlineData("epochs: 3\nimage: {channels: 2}", "line 2", "1 (grey) or 3 (colour)")]
    [InlineData("epochs: 3\nschedule: {kind: step, drop_at: [0.7, 0.5]}", "line 2", "must rise")]
    [InlineData("epochs: 3\nschedule: {drop_at: [x]}", "line 2", "must be a number, not 'x'")]
    [InlineData("epochs: 3\nepochs: 4", "not valid YAML")]
    [InlineData("epochs: [3", "not valid YAML")]
    [InlineData("just text", "must hold settings")]
    [InlineData("epochs: 3\n---\nepochs: 4", "2 documents")]
    public void Mistakes_are_named_with_their_place_and_remedy(string text, params string[] expected)
    {
        var error = Should.Throw<RecipeException>(() => RecipeFile.Parse(text, "mine.yaml"));

        error.Message.ShouldStartWith("mine.yaml");
        foreach (var part in expected) error.Message.ShouldContain(part);
    }

    [Fact]
    public void All_mistakes_are_reported_at_once()
    {
        var error = Should.Throw<RecipeException>(() => RecipeFile.Parse("epochs: x\nsed: 3\nimage: {size: 4}", "mine.yaml"));

        error.Errors.Count.ShouldBe(3);
    }

    [Fact]
    public void Hostile_text_is_refused_not_fatal()
    {
        Should.Throw<RecipeException>(() => RecipeFile.Parse(new string('[', 60_000), "deep")).Message.ShouldContain("nested");
        Should.Throw<RecipeException>(() => RecipeFile.Parse(new string('a', 70_000), "long")).Message.ShouldContain("characters");
        Should.Throw<RecipeException>(() => RecipeFile.Parse("a: &a [x, x]\nb: &b [*a, *a]\nepochs: *b", "aliases"));
    }

    [Fact]
    public void Unknown_built_in_recipe_is_answered_with_those_there_are()
    {
        Should.Throw<RecipeException>(() => RecipeFile.BuiltIn("circl")).Message.ShouldContain("Did you mean 'circle'?");
    }

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("10m", 600)]
    [InlineData("1h30m", 5400)]
    [InlineData("1.5h", 5400)]
    public void Durations_are_read_as_people_write_them(string text, double seconds)
    {
        Duration.TryParse(text, out var value).ShouldBeTrue();
        value.TotalSeconds.ShouldBe(seconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("m")]
    [InlineData("10m1h")]
    [InlineData("-5s")]
    public void Anything_else_is_no_duration(string text) => Duration.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void Small_grey_drawings_get_a_small_network_and_inverted_paper()
    {
        var recipe = RecipeFile.Default(new DatasetFacts(1, 105, 105, DarkOnLight: true, TrainClasses: 700, TrainImages: 14_000));

        DatasetDefaults.IsResolved(recipe).ShouldBeTrue();
        recipe.Backbone.ShouldBe(Backbone.Conv4);
        (recipe.Image.Channels, recipe.Image.Size, recipe.Image.Invert).ShouldBe((1, 32, true));
        (recipe.Sampler.Classes, recipe.Sampler.ImagesPerClass).ShouldBe((32, 4));
        recipe.Augmentation!.Flip.ShouldBe(0);
        recipe.Augmentation.Rotate.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void Colour_images_of_few_classes_get_batches_of_all_classes()
    {
        var recipe = RecipeFile.Default(new DatasetFacts(0, 100, 100, DarkOnLight: false, TrainClasses: 6, TrainImages: 1200));

        (recipe.Image.Channels, recipe.Image.Size, recipe.Image.Invert).ShouldBe((3, 48, false));
        (recipe.Sampler.Classes, recipe.Sampler.ImagesPerClass).ShouldBe((6, 16));
    }

    [Fact]
    public void What_a_recipe_sets_is_kept_whatever_the_data_looks_like()
    {
        var own = RecipeFile.Parse("epochs: 1\nimage: {size: 48, channels: 3, invert: false}\naugmentation: {flip: 0.5}\nbackbone: resnet18", "own");

        var resolved = DatasetDefaults.Resolve(own, new DatasetFacts(1, 105, 105, DarkOnLight: true, 700, 14_000));

        resolved.Image.ShouldBe(own.Image);
        resolved.Augmentation.ShouldBe(new Augmentation { Flip = 0.5 });
        resolved.Backbone.ShouldBe(Backbone.Resnet18);
    }

    [Fact]
    public void Ice_takes_its_positives_as_mean_unless_told_otherwise()
    {
        RecipeFile.Parse("epochs: 1", "a").Loss.Choice("positives").ShouldBe("mean");
        RecipeFile.Parse("epochs: 1\nloss: {positives: sum}", "a").Loss.Choice("positives").ShouldBe("sum");
    }
}
