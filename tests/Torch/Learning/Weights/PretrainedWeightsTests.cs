using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Models;
using DmlPipeline.Learning.Weights;
using DmlPipeline.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Weights;

public sealed class PretrainedWeightsTests : IDisposable
{
    private readonly string path = Path.GetTempFileName();

    public void Dispose() => File.Delete(path);

    [Theory]
    [InlineData("")]
    [InlineData("module.")]
    [InlineData("model.backbone.")]
    public void Names_are_found_behind_any_prefix(string prefix)
    {
        using var scope = NewDisposeScope();
        using var teacher = Model(seed: 1);
        using var pupil = Model(seed: 2);
        Write(Backbone(teacher).ToDictionary(entry => prefix + entry.Key, entry => entry.Value).Append(new(prefix + "fc.weight", ones(3, 64))));

        var report = PretrainedWeights.Load(pupil, path);

        Values(pupil).ShouldBe(Values(teacher));
        (report.Prefix, report.IsComplete).ShouldBe((prefix, true));
        report.Matched.Count.ShouldBe(Backbone(teacher).Count);
        report.Unexpected.ShouldBe([prefix + "fc.weight"]);
    }

    [Theory]
    [InlineData(ScalarType.Float64, 1e-7)]
    [InlineData(ScalarType.Float16, 1e-3)]
    [InlineData(ScalarType.BFloat16, 1e-2)]
    public void Any_floating_type_is_converted(ScalarType type, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var teacher = Model(seed: 1);
        using var pupil = Model(seed: 2);
        Write(Backbone(teacher).Select(entry => KeyValuePair.Create(entry.Key, entry.Value.is_floating_point() ? entry.Value.to(type) : entry.Value)));

        PretrainedWeights.Load(pupil, path);

        var (found, wanted) = (Values(pupil), Values(teacher));
        for (var i = 0; i < found.Length; i++) found[i].ShouldBe(wanted[i], (float)(tolerance * Math.Max(1, Math.Abs(wanted[i]))));
        pupil.parameters().ShouldAllBe(parameter => parameter.dtype == ScalarType.Float32);
    }

    [Fact]
    public void Colour_weights_see_grey_images_as_their_colour_model_does()
    {
        using var scope = NewDisposeScope();
        using var colour = Model(seed: 1, channels: 3);
        using var grey = Model(seed: 2);
        Write(Backbone(colour));

        var report = PretrainedWeights.Load(grey, path);

        report.Adapted.ShouldHaveSingleItem().ShouldBe("block1.conv.weight summed over the colours");
        colour.eval();
        grey.eval();
        var (image, model) = (rand([2, 1, 32, 32]) * 255, Backbone(grey)["block1.conv.weight"]);
        var expected = nn.functional.conv2d(image.expand(2, 3, 32, 32), Backbone(colour)["block1.conv.weight"], padding: [1, 1]);
        (nn.functional.conv2d(image, model, padding: [1, 1]) - expected).abs().max().item<float>().ShouldBeLessThan(1e-3f);
    }

    [Fact]
    public void Weights_that_want_blue_first_are_turned_except_those_of_this_pipeline()
    {
        using var scope = NewDisposeScope();
        using var teacher = Model(seed: 1, channels: 3);
        using var pupil = Model(seed: 2, channels: 3);
        var first = "block1.conv.weight";

        Write(Backbone(teacher));
        PretrainedWeights.Load(pupil, path, blueFirst: true).Adapted.ShouldBe([$"{first} turned to red first"]);
        Difference(Backbone(pupil)[first].flip(1), Backbone(teacher)[first]).ShouldBe(0);

        teacher.Save(path);
        PretrainedWeights.Load(pupil, path, blueFirst: true).Adapted.ShouldBeEmpty();
        Difference(Backbone(pupil)[first], Backbone(teacher)[first]).ShouldBe(0);
    }

    [Fact]
    public void A_model_of_this_pipeline_also_gives_its_head_where_that_fits()
    {
        using var scope = NewDisposeScope();
        using var teacher = Model(seed: 1);
        using var same = Model(seed: 2);
        using var wider = Model(seed: 2, embedding: 16);
        teacher.Save(path);

        PretrainedWeights.Load(same, path).Unexpected.ShouldBeEmpty();
        var report = PretrainedWeights.Load(wider, path);

        Values(same, "embedding.weight").ShouldBe(Values(teacher, "embedding.weight"));
        report.Unexpected.ShouldBe(["embedding.weight", "embedding.bias"], ignoreOrder: true);
        Values(wider, "backbone.block4.conv.weight").ShouldBe(Values(teacher, "backbone.block4.conv.weight"));
    }

    [Fact]
    public void Counters_that_old_files_lack_are_not_missed_and_rows_serve_as_vectors()
    {
        using var scope = NewDisposeScope();
        using var teacher = Model(seed: 1);
        using var pupil = Model(seed: 2);
        Write(Backbone(teacher).Where(entry => !entry.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal))
            .Select(entry => KeyValuePair.Create(entry.Key, entry.Value.ndim == 1 ? entry.Value.unsqueeze(0) : entry.Value)));

        PretrainedWeights.Load(pupil, path).IsComplete.ShouldBeTrue();

        Values(pupil).ShouldBe(Values(teacher));
    }

    [Fact]
    public void Another_networks_weights_are_refused_with_a_report_of_every_difference()
    {
        using var scope = NewDisposeScope();
        using var model = Model(seed: 1);
        var file = Backbone(model);
        file.Remove("block2.bn.weight");
        file["block3.conv.weight"] = ones(64, 32, 3, 3);
        file["classifier.weight"] = ones(2);
        Write(file);

        var message = Should.Throw<WeightException>(() => PretrainedWeights.Load(model, path)).Message;

        message.ShouldContain("conv4: 1 of its tensors are missing and 1 have another shape");
        message.ShouldContain("1 missing: block2.bn.weight");
        message.ShouldContain("1 of another shape: block3.conv.weight [64, 32, 3, 3] instead of [64, 64, 3, 3]");
        message.ShouldContain("1 not used: classifier.weight");
    }

    [Fact]
    public void Position_embeddings_of_another_grid_are_resized_as_pytorch_does_it()
    {
        using var scope = NewDisposeScope();
        var positions = arange(0, 1 + 4, ScalarType.Float32).reshape(1, 5, 1); // a class token and a grid of 2 x 2

        var (same, how) = WeightFitting.Fit(positions, [1, 5, 1])!.Value;
        var (wider, howWider) = WeightFitting.Fit(positions, [1, 17, 1])!.Value;

        (same.numel(), how).ShouldBe((5, null));
        howWider.ShouldBe("resized from 2 x 2 places to 4 x 4");
        // F.interpolate(torch.tensor([[[[1., 2.], [3., 4.]]]]), size=(4, 4), mode="bicubic")
        float[] expected =
        [
            0, 0.68359375f, 1.015625f, 1.5625f, 1.89453125f,
        ];
        wider.flatten().data<float>().ToArray()[..5].ShouldBe(expected, 1e-5);
        WeightFitting.Fit(positions, [1, 18, 1]).ShouldBeNull();
        WeightFitting.Fit(positions, [1, 17, 2]).ShouldBeNull();
    }

    [Fact]
    public void A_transformer_takes_the_weights_of_another_image_size()
    {
        using var scope = NewDisposeScope();
        using var teacher = Model(seed: 1, backbone: "vit-s16");
        using var pupil = Model(seed: 2, backbone: "vit-s16", size: 64);
        Write(Backbone(teacher));

        var report = PretrainedWeights.Load(pupil, path);

        report.Adapted.ShouldBe(["pos_embed resized from 2 x 2 places to 4 x 4"]);
        Difference(Backbone(pupil)["blocks.11.mlp.fc2.weight"], Backbone(teacher)["blocks.11.mlp.fc2.weight"]).ShouldBe(0);
        Difference(Backbone(pupil)["pos_embed"].narrow(1, 0, 1), Backbone(teacher)["pos_embed"].narrow(1, 0, 1)).ShouldBe(0);
    }

    [Fact]
    public void Long_lists_in_a_report_are_shortened()
    {
        var report = new WeightReport("file.pth", "", "module.", ["a"], [], [.. Enumerable.Range(0, 12).Select(i => $"m{i}")], [], []);

        report.ToText().ShouldBe("file.pth: 1 tensors matched, named 'module.…' there\n  12 missing: m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, and 2 more");
    }

    private static EmbeddingModel Model(long seed, int channels = 1, int embedding = 8, string backbone = "conv4", int size = 32) =>
        EmbeddingModel.Create(
            new ModelSpec(backbone, embedding, new ImageShape(channels, size, size), [.. Enumerable.Repeat(0.0, channels)], [.. Enumerable.Repeat(1.0, channels)], Invert: false), seed);

    private static Dictionary<string, Tensor> Backbone(EmbeddingModel model) =>
        model.state_dict().Where(entry => entry.Key.StartsWith("backbone.", StringComparison.Ordinal)).ToDictionary(entry => entry.Key["backbone.".Length..], entry => entry.Value);

    private void Write(IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        using var file = File.Create(path);
        Safetensors.Write(file, tensors.ToDictionary(entry => entry.Key, entry => entry.Value));
    }

    private static float[] Values(EmbeddingModel model) =>
        [.. Backbone(model).OrderBy(entry => entry.Key, StringComparer.Ordinal).SelectMany(entry => entry.Value.detach().to(ScalarType.Float32).contiguous().data<float>().ToArray())];

    private static float[] Values(EmbeddingModel model, string name) => model.state_dict()[name].detach().contiguous().data<float>().ToArray();

    private static float Difference(Tensor a, Tensor b) => (a - b).abs().max().item<float>();
}
