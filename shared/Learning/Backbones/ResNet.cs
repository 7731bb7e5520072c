using DmlPipeline.Learning.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Backbones;

/// <summary>Residual networks (He et al., arXiv 1512.03385) with torchvision's parameter names: images [B, C, H, W] to feature maps [B, 512 or 2048, H/32, W/32].</summary>
internal sealed class ResNet : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv1;
    private readonly BatchNorm2d bn1;
    private readonly MaxPool2d? maxpool;
    private readonly List<ResNetBlock> blocks = [];

    /// <param name="spec">Whose input and stem it is built for.</param>
    /// <param name="depths">Blocks in each of the four stages.</param>
    /// <param name="bottleneck">Blocks of three convolutions, of which the middle one is narrow, instead of two.</param>
    public ResNet(ModelSpec spec, int[] depths, bool bottleneck) : base(nameof(ResNet))
    {
        var small = spec.Stem == ResNetStem.Small || (spec.Stem == ResNetStem.Auto && Math.Max(spec.Input.Height, spec.Input.Width) <= 64);
        conv1 = small
            ? nn.Conv2d(spec.Input.Channels, 64, 3, padding: 1, bias: false)
            : nn.Conv2d(spec.Input.Channels, 64, 7, stride: 2, padding: 3, bias: false);
        bn1 = nn.BatchNorm2d(64);
        maxpool = small ? null : nn.MaxPool2d(3, 2, 1);
        register_module(nameof(conv1), conv1);
        register_module(nameof(bn1), bn1);

        var from = 64;
        for (var stage = 0; stage < depths.Length; stage++)
        {
            var width = 64 << stage;
            var layer = new ResNetBlock[depths[stage]];
            for (var i = 0; i < layer.Length; i++)
            {
                layer[i] = new ResNetBlock(from, width, stride: stage > 0 && i == 0 ? 2 : 1, bottleneck);
                from = layer[i].Width;
            }
            register_module($"layer{stage + 1}", nn.Sequential(layer));
            blocks.AddRange(layer);
        }
    }

    public override Tensor forward(Tensor input)
    {
        using var convolved = conv1.call(input);
        using var normalised = bn1.call(convolved);
        var x = normalised.relu();
        if (maxpool is not null) x = Replace(x, maxpool.call(x));
        foreach (var block in blocks) x = Replace(x, block.call(x));
        return x;
    }

    // Outside training nothing else holds the activations of earlier blocks: freed at once, they do not add up.
    private static Tensor Replace(Tensor old, Tensor next)
    {
        old.Dispose();
        return next;
    }
}

/// <summary>Two 3x3 convolutions, or 1x1, 3x3 and 1x1, and the way around them.</summary>
internal sealed class ResNetBlock : nn.Module<Tensor, Tensor>
{
    private const int Expansion = 4;
    private readonly List<(Conv2d Convolution, BatchNorm2d Normalisation)> steps = [];
    private readonly Sequential? downsample;

    public ResNetBlock(int from, int inner, int stride, bool bottleneck) : base(nameof(ResNetBlock))
    {
        Width = bottleneck ? inner * Expansion : inner;
        if (bottleneck)
        {
            // The stride is the 3x3 convolution's, as in torchvision, which its weights need; the paper had it in the first 1x1.
            Add(nn.Conv2d(from, inner, 1, bias: false), inner);
            Add(nn.Conv2d(inner, inner, 3, stride: stride, padding: 1, bias: false), inner);
            Add(nn.Conv2d(inner, Width, 1, bias: false), Width);
        }
        else
        {
            Add(nn.Conv2d(from, inner, 3, stride: stride, padding: 1, bias: false), inner);
            Add(nn.Conv2d(inner, inner, 3, padding: 1, bias: false), inner);
        }
        if (stride == 1 && from == Width) return;
        downsample = nn.Sequential(nn.Conv2d(from, Width, 1, stride: stride, bias: false), nn.BatchNorm2d(Width));
        register_module(nameof(downsample), downsample);
    }

    /// <summary>Channels of the result.</summary>
    public int Width { get; }

    public override Tensor forward(Tensor input)
    {
        var x = input;
        for (var i = 0; i < steps.Count; i++)
        {
            using var convolved = steps[i].Convolution.call(x);
            if (i > 0) x.Dispose();
            x = steps[i].Normalisation.call(convolved);
            if (i == steps.Count - 1) break;
            using var normalised = x;
            x = normalised.relu();
        }
        using var last = x;
        using var projected = downsample?.call(input);
        using var sum = last + (projected ?? input);
        return sum.relu();
    }

    private void Add(Conv2d convolution, int width)
    {
        var normalisation = nn.BatchNorm2d(width);
        steps.Add((convolution, normalisation));
        register_module($"conv{steps.Count}", convolution);
        register_module($"bn{steps.Count}", normalisation);
    }
}
