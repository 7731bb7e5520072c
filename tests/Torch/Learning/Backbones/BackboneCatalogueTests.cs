using System.Text.RegularExpressions;
using DmlPipeline.Learning.Backbones;
using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Models;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Torch;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Backbones;

public sealed class BackboneCatalogueTests
{
    // As published with 1,000 classes; what the classifier has of it.
    private static readonly Dictionary<string, (long Published, long Classifier)> Counts = new()
    {
        ["resnet18"] = (11_689_512, Linear(512, 1000)),
        ["resnet34"] = (21_797_672, Linear(512, 1000)),
        ["resnet50"] = (25_557_032, Linear(2048, 1000)),
        ["googlenet"] = (6_624_904, Linear(1024, 1000)),
        ["bn-inception"] = (11_295_240, Linear(1024, 1000)),
        ["mobilenet-v3-large"] = (5_483_032, Linear(960, 1280) + Linear(1280, 1000)),
        ["mobilenet-v3-small"] = (2_542_856, Linear(576, 1024) + Linear(1024, 1000)),
        ["efficientnet-b0"] = (5_288_548, Linear(1280, 1000)),
        ["vit-s16"] = (22_050_664, Linear(384, 1000)),
    };

    public static TheoryData<string> Names => [.. BackboneCatalogue.All.Select(entry => entry.Name)];

    [Fact]
    public void Recipes_know_every_backbone_and_no_other() =>
        RecipeKeys.NamesOf(typeof(Backbone)).ShouldBe(BackboneCatalogue.All.Select(entry => entry.Name), ignoreOrder: true);

    [Theory]
    [MemberData(nameof(Names))]
    public void Parameters_are_as_many_as_published(string name)
    {
        var entry = BackboneCatalogue.Get(name);
        using var network = entry.Build(Spec(entry, 3, 224));

        network.parameters().Sum(parameter => parameter.numel()).ShouldBe(entry.Parameters);
        if (name != "conv4") (entry.Parameters + Counts[name].Classifier).ShouldBe(Counts[name].Published);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_backbone_learns_and_embeds_images_of_its_smallest_size(string name)
    {
        using var scope = NewDisposeScope();
        var entry = BackboneCatalogue.Get(name);
        foreach (var channels in new[] { 1, 3 })
        {
            var size = entry.SmallestSide;
            using var model = EmbeddingModel.Create(Spec(entry, channels, size), seed: 1);

            var features = model.Features(rand([4, channels, size, size]) * 255);
            features.square().sum().backward();

            features.shape.ShouldBe([4L, 8L]);
            foreach (var (parameterName, parameter) in model.named_parameters())
                parameter.grad.ShouldNotBeNull(parameterName).isfinite().all().item<bool>().ShouldBeTrue(parameterName);
            model.eval();
            model.call(rand([1, channels, size, size]) * 255).isfinite().all().item<bool>().ShouldBeTrue();
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_seed_decides_every_weight(string name)
    {
        using var scope = NewDisposeScope();
        var entry = BackboneCatalogue.Get(name);
        var weights = new[] { 1, 1, 2 }.Select(seed =>
        {
            rand(seed + 5); // moves the generator: what a layer draws when it is made must not matter
            using var model = EmbeddingModel.Create(Spec(entry, 3, entry.SmallestSide), seed);
            return cat([.. model.parameters().Select(parameter => parameter.detach().flatten())]);
        }).ToList();

        weights[0].eq(weights[1]).all().item<bool>().ShouldBeTrue();
        weights[0].eq(weights[2]).all().item<bool>().ShouldBeFalse();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_step_leaves_no_tensor_behind(string name)
    {
        var entry = BackboneCatalogue.Get(name);
        using var model = EmbeddingModel.Create(Spec(entry, 3, entry.SmallestSide), seed: 1);
        foreach (var parameter in model.parameters()) parameter.requires_grad = false;
        Step();
        var before = LiveTensors.Settled();

        Step();

        TorchRuntime.LiveTensors.ShouldBe(before);

        void Step()
        {
            using var scope = NewDisposeScope();
            model.Features(rand([2, 3, entry.SmallestSide, entry.SmallestSide]));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Images_too_small_are_refused_with_the_remedy(string name)
    {
        var entry = BackboneCatalogue.Get(name);
        var tooSmall = entry.SmallestSide - 1;

        Should.Throw<InvalidDataException>(() => EmbeddingModel.Create(Spec(entry, 3, tooSmall), seed: 1)).Message.ShouldContain("image.size");
        if (tooSmall < 16) return;
        Should.Throw<RecipeException>(() => RecipeFile.Parse($"epochs: 1\nbackbone: {name}\nimage: {{size: {tooSmall}}}", "a")).Message.ShouldContain("image.size");
    }

    [Fact]
    public void The_readme_states_every_backbone_as_the_catalogue_has_it()
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Learning", "Backbones", "README.md"));

        foreach (var entry in BackboneCatalogue.All)
        {
            var row = Regex.Match(text, $@"^\| `{entry.Name}` \|.*$", RegexOptions.Multiline).Value;
            row.ShouldContain($"| {entry.Parameters:N0} | {entry.FeatureWidth:N0} | {entry.SmallestSide} |", customMessage: entry.Name);
            if (entry.Name != "conv4") row.ShouldContain($"| {RecipeKeys.Name(entry.Normalisation)} |");
        }
    }

    private static long Linear(long from, long to) => (from * to) + to;

    private static ModelSpec Spec(BackboneEntry entry, int channels, int size) =>
        new(entry.Name, 8, new ImageShape(channels, size, size), [.. Enumerable.Repeat(0.5, channels)], [.. Enumerable.Repeat(0.25, channels)], Invert: false);
}
