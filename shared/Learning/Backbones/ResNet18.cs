using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Backbones;

/// <summary>ResNet-18 (He et al., arXiv 1512.03385) with torchvision's parameter names, so that its weight files fit; the last layer gives the embedding.</summary>
internal sealed class ResNet18 : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv1;
    private readonly BatchNorm2d bn1;
    private readonly MaxPool2d? maxpool;
    private readonly List<ResNetBlock> blocks = [];
    private readonly Linear fc;

    public ResNet18(ImageShape input, int embeddingSize, ResNetStem stem) : base(nameof(ResNet18))
    {
        var small = stem == ResNetStem.Small || (stem == ResNetStem.Auto && Math.Max(input.Height, input.Width) <= 64);
        conv1 = small
            ? nn.Conv2d(input.Channels, 64, 3, padding: 1, bias: false)
            : nn.Conv2d(input.Channels, 64, 7, stride: 2, padding: 3, bias: false);
        bn1 = nn.BatchNorm2d(64);
        maxpool = small ? null : nn.MaxPool2d(3, 2, 1);
        register_module(nameof(conv1), conv1);
        register_module(nameof(bn1), bn1);

        var from = 64;
        for (var stage = 0; stage < 4; stage++)
        {
            var to = 64 << stage;
            var first = new ResNetBlock(from, to, stride: stage == 0 ? 1 : 2);
            var second = new ResNetBlock(to, to, stride: 1);
            register_module($"layer{stage + 1}", nn.Sequential(first, second));
            blocks.Add(first);
            blocks.Add(second);
            from = to;
        }
        fc = nn.Linear(512, embeddingSize);
        register_module(nameof(fc), fc);
    }

    public override Tensor forward(Tensor input)
    {
        using var convolved = conv1.call(input);
        using var normalised = bn1.call(convolved);
        var x = normalised.relu();
        if (maxpool is not null) x = Replace(x, maxpool.call(x));
        foreach (var block in blocks) x = Replace(x, block.call(x));
        using var pooled = x.mean([2, 3]); // [B, 512, h, w] -> [B, 512]
        x.Dispose();
        return fc.call(pooled);
    }

    // Outside training nothing else holds the activations of earlier blocks: freed at once, they do not add up.
    private static Tensor Replace(Tensor old, Tensor next)
    {
        old.Dispose();
        return next;
    }
}

/// <summary>Two 3x3 convolutions and the way around them.</summary>
internal sealed class ResNetBlock : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv1, conv2;
    private readonly BatchNorm2d bn1, bn2;
    private readonly Sequential? downsample;

    public ResNetBlock(int from, int to, int stride) : base(nameof(ResNetBlock))
    {
        conv1 = nn.Conv2d(from, to, 3, stride: stride, padding: 1, bias: false);
        bn1 = nn.BatchNorm2d(to);
        conv2 = nn.Conv2d(to, to, 3, padding: 1, bias: false);
        bn2 = nn.BatchNorm2d(to);
        register_module(nameof(conv1), conv1);
        register_module(nameof(bn1), bn1);
        register_module(nameof(conv2), conv2);
        register_module(nameof(bn2), bn2);
        if (stride == 1 && from == to) return;
        downsample = nn.Sequential(nn.Conv2d(from, to, 1, stride: stride, bias: false), nn.BatchNorm2d(to));
        register_module(nameof(downsample), downsample);
    }

    public override Tensor forward(Tensor input)
    {
        using var first = conv1.call(input);
        using var firstNormalised = bn1.call(first);
        using var active = firstNormalised.relu();
        using var second = conv2.call(active);
        using var secondNormalised = bn2.call(second);
        using var projected = downsample?.call(input);
        using var sum = secondNormalised + (projected ?? input);
        return sum.relu();
    }
}
