using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Models;

public sealed class EmbeddingModelTests
{
    private static ModelSpec Spec(string backbone = "conv4", int channels = 1, int size = 28) =>
        new(backbone, 32, new ImageShape(channels, size, size), [.. Enumerable.Repeat(0.1, channels)], [.. Enumerable.Repeat(0.3, channels)], Invert: false);

    [Theory]
    [InlineData("conv4", 1, 28)]
    [InlineData("conv4", 3, 64)]
    [InlineData("conv4", 1, 33)]
    [InlineData("resnet18", 3, 32)]
    [InlineData("resnet18", 1, 96)]
    public void Embeddings_have_unit_length_whatever_the_input_size(string backbone, int channels, int size)
    {
        using var scope = NewDisposeScope();
        using var model = EmbeddingModel.Create(Spec(backbone, channels, size), seed: 1);

        var embeddings = model.call(rand([3, channels, size, size]) * 255);

        embeddings.shape.ShouldBe([3L, 32L]);
        foreach (var length in embeddings.norm(1).data<float>()) length.ShouldBe(1, 1e-5f);
    }

    [Fact]
    public void The_seed_decides_the_weights()
    {
        Weights(1).ShouldBe(Weights(1));
        Weights(1).ShouldNotBe(Weights(2));
    }

    [Fact]
    public void Bytes_and_floats_of_the_same_pixels_give_the_same_embedding()
    {
        using var scope = NewDisposeScope();
        using var model = EmbeddingModel.Create(Spec(), seed: 1);
        model.eval();
        var bytes = (rand([2, 1, 28, 28]) * 255).to(ScalarType.Byte);

        Values(model.call(bytes)).ShouldBe(Values(model.call(bytes.to(ScalarType.Float32))));
    }

    [Fact]
    public void An_inverting_model_sees_dark_on_light_as_the_other_sees_light_on_dark()
    {
        using var scope = NewDisposeScope();
        using var plain = EmbeddingModel.Create(Spec(), seed: 1);
        using var inverting = EmbeddingModel.Create(Spec() with { Invert = true }, seed: 1);
        plain.eval();
        inverting.eval();
        var pixels = rand([2, 1, 28, 28]) * 255;

        var (a, b) = (Values(plain.call(pixels)), Values(inverting.call(255 - pixels)));

        for (var i = 0; i < a.Length; i++) b[i].ShouldBe(a[i], 1e-5f);
    }

    [Fact]
    public void Pixels_are_normalised_by_the_specification()
    {
        using var scope = NewDisposeScope();
        using var usual = EmbeddingModel.Create(Spec(), seed: 1);
        using var other = EmbeddingModel.Create(Spec() with { Mean = [0.2], Std = [0.6] }, seed: 1);
        usual.eval();
        other.eval();
        var x = rand([2, 1, 28, 28]) * 100;

        // (v / 255 - 0.2) / 0.6 = (x / 255 - 0.1) / 0.3  <=>  v = 2x
        var (a, b) = (Values(usual.call(x)), Values(other.call(x * 2)));

        for (var i = 0; i < a.Length; i++) b[i].ShouldBe(a[i], 1e-5f);
    }

    [Fact]
    public void A_saved_model_is_the_same_model()
    {
        using var scope = NewDisposeScope();
        var path = Path.GetTempFileName();
        try
        {
            using var model = EmbeddingModel.Create(Spec() with { Head = EmbeddingHead.BatchNorm }, seed: 1);
            model.call(rand([8, 1, 28, 28]) * 255); // moves the running statistics of batch normalisation
            model.eval();
            model.Save(path);
            using var loaded = EmbeddingModel.Load(path);
            var pixels = rand([4, 1, 28, 28]) * 255;

            loaded.Spec.ToJson().ShouldBe(model.Spec.ToJson());
            Values(loaded.call(pixels)).ShouldBe(Values(model.call(pixels)));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData(Pooling.Average)]
    [InlineData(Pooling.Max)]
    [InlineData(Pooling.Gem)]
    [InlineData(Pooling.Spoc)]
    [InlineData(Pooling.SpocCentre)]
    [InlineData(Pooling.Flatten)]
    public void Without_a_head_the_embedding_is_the_pooled_features(Pooling pooling)
    {
        using var scope = NewDisposeScope();
        var spec = Spec() with { Pooling = pooling, Head = EmbeddingHead.None, Input = new ImageShape(1, 32, 48) };
        spec = spec with { EmbeddingSize = EmbeddingModel.FeatureSize(spec) };
        using var model = EmbeddingModel.Create(spec, seed: 1);

        var features = model.Features(rand([2, 1, 32, 48]) * 255);

        features.shape.ShouldBe([2L, pooling == Pooling.Flatten ? 64 * 2 * 3 : 64]);
        model.state_dict().Keys.ShouldNotContain("embedding.weight");
        Should.Throw<InvalidDataException>(() => EmbeddingModel.Create(spec with { EmbeddingSize = 5 }, seed: 1)).Message.ShouldContain("not 5");
    }

    [Fact]
    public void Frozen_batch_normalisation_keeps_what_it_has_through_training()
    {
        using var scope = NewDisposeScope();
        using var model = EmbeddingModel.Create(Spec(), seed: 1);
        model.FreezeBatchNorm();
        model.train();
        var before = Values(model.state_dict()["backbone.block1.bn.running_mean"]);

        model.Features(rand([4, 1, 28, 28]) * 255).sum().backward();

        Values(model.state_dict()["backbone.block1.bn.running_mean"]).ShouldBe(before);
        model.training.ShouldBeTrue();
        foreach (var (name, parameter) in model.named_parameters())
            (parameter.grad is null).ShouldBe(name.Contains(".bn.", StringComparison.Ordinal), name);
    }

    [Fact]
    public void A_class_token_is_refused_where_there_is_none()
    {
        Should.Throw<InvalidDataException>(() => EmbeddingModel.Create(Spec() with { Pooling = Pooling.ClassToken }, seed: 1)).Message.ShouldContain("class token");
    }

    [Fact]
    public void Images_too_small_for_conv4_are_refused_with_the_remedy()
    {
        Should.Throw<InvalidDataException>(() => EmbeddingModel.Create(Spec(size: 12), seed: 1)).Message.ShouldContain("image.size");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("nonsense")]
    [InlineData("null")]
    [InlineData("""{"backbone":"conv4","embeddingSize":0,"input":{"channels":1,"height":28,"width":28},"mean":[0],"std":[1]}""")]
    [InlineData("""{"backbone":"conv4","embeddingSize":8,"input":{"channels":1,"height":28,"width":28},"mean":[0,0],"std":[1]}""")]
    [InlineData("""{"backbone":"conv4","embeddingSize":8,"input":{"channels":1,"height":28,"width":28},"mean":[0],"std":[0]}""")]
    public void Broken_specifications_are_refused(string json) => Should.Throw<InvalidDataException>(() => ModelSpec.FromJson(json));

    private static float[] Weights(long seed)
    {
        using var scope = NewDisposeScope();
        using var model = EmbeddingModel.Create(Spec(), seed);
        return [.. model.parameters().SelectMany(parameter => Values(parameter.detach()))];
    }

    private static float[] Values(Tensor tensor) => tensor.detach().contiguous().data<float>().ToArray();
}
