using DmlPipeline.Learning.Models;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Backbones;

/// <summary>
/// BN-Inception (Ioffe and Szegedy, arXiv 1502.03167), the network of most metric-learning papers from 2018 on, with the flat parameter names of the
/// weights that were converted from Caffe (conv1_7x7_s2, inception_3a_1x1_bn, …): images [B, C, H, W] to feature maps [B, 1024, H/32, W/32].
/// </summary>
internal sealed class BnInception : nn.Module<Tensor, Tensor>
{
    private readonly List<Func<Tensor, Tensor>> layers = [];

    public BnInception(ModelSpec spec) : base(nameof(BnInception))
    {
        layers.AddRange([Step("conv1_7x7_s2", spec.Input.Channels, 64, 7, stride: 2), MaxPool(2)]);
        layers.AddRange([Step("conv2_3x3_reduce", 64, 64, 1), Step("conv2_3x3", 64, 192, 3), MaxPool(2)]);
        Inception("3a", 192, 64, (64, 64), (64, 96), (AveragePool, 32));
        Inception("3b", 256, 64, (64, 96), (64, 96), (AveragePool, 64));
        Reduction("3c", 320, (128, 160), (64, 96));
        Inception("4a", 576, 224, (64, 96), (96, 128), (AveragePool, 128));
        Inception("4b", 576, 192, (96, 128), (96, 128), (AveragePool, 128));
        Inception("4c", 576, 160, (128, 160), (128, 160), (AveragePool, 128));
        Inception("4d", 608, 96, (128, 192), (160, 192), (AveragePool, 128));
        Reduction("4e", 608, (128, 192), (192, 256));
        Inception("5a", 1056, 352, (192, 320), (160, 224), (AveragePool, 128));
        Inception("5b", 1024, 352, (192, 320), (192, 224), (MaxPool(1), 128));
    }

    public override Tensor forward(Tensor input)
    {
        var x = input;
        foreach (var layer in layers)
        {
            var next = layer(x);
            if (!ReferenceEquals(x, input)) x.Dispose();
            x = next;
        }
        return x;
    }

    /// <summary>Four ways side by side: 1x1; 1x1 and 3x3; 1x1 and twice 3x3; a pool and 1x1.</summary>
    private void Inception(
        string name, int from, int plain, (int Narrow, int Wide) single, (int Narrow, int Wide) twice, (Func<Tensor, Tensor> Pool, int Width) pooled)
    {
        name = $"inception_{name}";
        Join(
            [Step($"{name}_1x1", from, plain, 1)],
            [Step($"{name}_3x3_reduce", from, single.Narrow, 1), Step($"{name}_3x3", single.Narrow, single.Wide, 3)],
            [
                Step($"{name}_double_3x3_reduce", from, twice.Narrow, 1), Step($"{name}_double_3x3_1", twice.Narrow, twice.Wide, 3),
                Step($"{name}_double_3x3_2", twice.Wide, twice.Wide, 3),
            ],
            [pooled.Pool, Step($"{name}_pool_proj", from, pooled.Width, 1)]);
    }

    /// <summary>Three ways that halve the map: 1x1 and 3x3; 1x1 and twice 3x3; a max pool.</summary>
    private void Reduction(string name, int from, (int Narrow, int Wide) single, (int Narrow, int Wide) twice)
    {
        name = $"inception_{name}";
        Join(
            [Step($"{name}_3x3_reduce", from, single.Narrow, 1), Step($"{name}_3x3", single.Narrow, single.Wide, 3, stride: 2)],
            [
                Step($"{name}_double_3x3_reduce", from, twice.Narrow, 1), Step($"{name}_double_3x3_1", twice.Narrow, twice.Wide, 3),
                Step($"{name}_double_3x3_2", twice.Wide, twice.Wide, 3, stride: 2),
            ],
            [MaxPool(2)]);
    }

    private void Join(params Func<Tensor, Tensor>[][] branches) => layers.Add(input =>
    {
        using var scope = NewDisposeScope();
        return cat([.. branches.Select(branch => branch.Aggregate(input, (x, step) => step(x)))], 1).MoveToOuterDisposeScope();
    });

    private Func<Tensor, Tensor> Step(string name, int from, int to, int kernel, int stride = 1)
    {
        // The biases are redundant before batch normalisation, but the published weights have them.
        var convolution = nn.Conv2d(from, to, kernel, stride: stride, padding: kernel / 2);
        var normalisation = nn.BatchNorm2d(to);
        register_module(name, convolution);
        register_module($"{name}_bn", normalisation);
        return input =>
        {
            using var convolved = convolution.call(input);
            using var normalised = normalisation.call(convolved);
            return normalised.relu();
        };
    }

    // Caffe rounds sizes up, and counts the padding in averages.
    private static Tensor AveragePool(Tensor x) => F.avg_pool2d(x, [3, 3], [1, 1], [1, 1], ceil_mode: true, count_include_pad: true);

    private static Func<Tensor, Tensor> MaxPool(long stride) =>
        x => F.max_pool2d(x, [3, 3], [stride, stride], stride == 1 ? [1, 1] : [0, 0], ceil_mode: true);
}
