using System.Text;
using System.Text.Json;
using DmlPipeline.Learning.Backbones;
using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Models;
using DmlPipeline.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Backbones;

/// <summary>The networks beside plain PyTorch's (make_backbone_golden.py), with weights that are a function of their names.</summary>
public sealed class BackboneGoldenTests
{
    private const int Size = 64, Step = 37;

    public static TheoryData<string> Names => [.. BackboneCatalogue.All.Select(entry => entry.Name).Where(name => name != "conv4")];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_backbone_answers_what_pytorch_answers(string name) => Compare(name, Pooling.Auto, "values");

    [Fact]
    public void A_transformer_gives_its_patches_where_they_are_pooled() => Compare("vit-s16", Pooling.Average, "patches");

    private static void Compare(string name, Pooling pooling, string part)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Learning", "Backbones", "backbone-golden.json")));
        var expected = golden.RootElement.GetProperty(name).GetProperty(part).EnumerateArray().Select(value => value.GetDouble()).ToArray();
        var spec = new ModelSpec(name, 8, new ImageShape(3, Size, Size), [0, 0, 0], [1, 1, 1], Invert: false) { Stem = ResNetStem.Standard, Pooling = pooling };
        using var network = BackboneCatalogue.Get(name).Build(spec);
        foreach (var (tensorName, value) in network.state_dict()) Fill(tensorName, value);
        network.ToChannelsLast();
        network.eval();

        var map = network.call(tensor(Numbers("image", 2 * 3 * Size * Size)).to(ScalarType.Float32).reshape(2, 3, Size, Size).ChannelsLast());

        if (name != "vit-s16") map.shape.ShouldBe([2L, BackboneCatalogue.Get(name).FeatureWidth, 2L, 2L]);
        var found = map.mean([2, 3]).to(ScalarType.Float64).flatten().data<double>().ToArray().Where((_, i) => i % Step == 0).ToArray();
        found.Length.ShouldBe(expected.Length);
        var largest = expected.Max(Math.Abs);
        for (var i = 0; i < found.Length; i++) found[i].ShouldBe(expected[i], 1e-5 * largest, $"{name}, value {i}");
    }

    private static void Fill(string name, Tensor value)
    {
        if (name.EndsWith("num_batches_tracked", StringComparison.Ordinal)) return;
        var (shape, numbers) = (value.shape, tensor(Numbers(name, value.numel())).reshape(value.shape));
        value.copy_(shape.Length switch
        {
            2 or 4 => numbers * Math.Sqrt(6.0 / (value.numel() / shape[0])),
            3 => numbers * 0.1,
            _ when name.EndsWith("running_var", StringComparison.Ordinal) => (numbers * 0.5) + 1,
            _ when name.EndsWith("weight", StringComparison.Ordinal) => (numbers * 0.2) + 1,
            _ => numbers * 0.1,
        });
    }

    /// <summary>From -1 to 1, by FNV-1a of the name and MurmurHash3's finaliser of the index.</summary>
    private static double[] Numbers(string name, long count)
    {
        var seed = Encoding.UTF8.GetBytes(name).Aggregate(2166136261u, (hash, next) => (hash ^ next) * 16777619);
        var numbers = new double[count];
        for (var i = 0; i < numbers.Length; i++)
        {
            var x = ((uint)i * 2654435761u) + seed;
            x = (x ^ (x >> 16)) * 0x85EBCA6B;
            x = (x ^ (x >> 13)) * 0xC2B2AE35;
            x ^= x >> 16;
            numbers[i] = (x / 2147483648.0) - 1;
        }
        return numbers;
    }
}
