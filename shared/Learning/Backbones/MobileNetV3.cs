using DmlPipeline.Learning.Models;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Backbones;

/// <summary>MobileNet-v3 (Howard et al., arXiv 1905.02244, tables 1 and 2) with torchvision's parameter names, without the layers behind its pooling.</summary>
internal static class MobileNetV3
{
    private static readonly Func<Tensor, Tensor> Relu = x => x.relu();
    private static readonly Func<Tensor, Tensor> Swish = x => x.hardswish();

    /// <summary>Images [B, C, H, W] to feature maps [B, 960, H/32, W/32].</summary>
    public static nn.Module<Tensor, Tensor> Large(ModelSpec spec) => Build(
        spec,
        [
            Block(16, 3, 16, 16, squeeze: false, Relu, 1),
            Block(16, 3, 64, 24, squeeze: false, Relu, 2), Block(24, 3, 72, 24, squeeze: false, Relu, 1),
            Block(24, 5, 72, 40, squeeze: true, Relu, 2), Block(40, 5, 120, 40, squeeze: true, Relu, 1), Block(40, 5, 120, 40, squeeze: true, Relu, 1),
            Block(40, 3, 240, 80, squeeze: false, Swish, 2), Block(80, 3, 200, 80, squeeze: false, Swish, 1),
            Block(80, 3, 184, 80, squeeze: false, Swish, 1), Block(80, 3, 184, 80, squeeze: false, Swish, 1),
            Block(80, 3, 480, 112, squeeze: true, Swish, 1), Block(112, 3, 672, 112, squeeze: true, Swish, 1),
            Block(112, 5, 672, 160, squeeze: true, Swish, 2), Block(160, 5, 960, 160, squeeze: true, Swish, 1), Block(160, 5, 960, 160, squeeze: true, Swish, 1),
        ]);

    /// <summary>Images [B, C, H, W] to feature maps [B, 576, H/32, W/32].</summary>
    public static nn.Module<Tensor, Tensor> Small(ModelSpec spec) => Build(
        spec,
        [
            Block(16, 3, 16, 16, squeeze: true, Relu, 2),
            Block(16, 3, 72, 24, squeeze: false, Relu, 2), Block(24, 3, 88, 24, squeeze: false, Relu, 1),
            Block(24, 5, 96, 40, squeeze: true, Swish, 2), Block(40, 5, 240, 40, squeeze: true, Swish, 1), Block(40, 5, 240, 40, squeeze: true, Swish, 1),
            Block(40, 5, 120, 48, squeeze: true, Swish, 1), Block(48, 5, 144, 48, squeeze: true, Swish, 1),
            Block(48, 5, 288, 96, squeeze: true, Swish, 2), Block(96, 5, 576, 96, squeeze: true, Swish, 1), Block(96, 5, 576, 96, squeeze: true, Swish, 1),
        ]);

    private static Sequential Build(ModelSpec spec, MobileBlock[] blocks)
    {
        var (first, last) = (blocks[0].From, blocks[^1].To);
        return nn.Sequential(("features", nn.Sequential(
        [
            Step(nn.Conv2d(spec.Input.Channels, first, 3, stride: 2, padding: 1, bias: false), first),
            .. blocks.Select(block => new InvertedResidual(block)),
            Step(nn.Conv2d(last, 6 * last, 1, bias: false), 6 * last),
        ])));
    }

    private static ConvNorm Step(Conv2d convolution, int width) => new(("0", convolution), ("1", Normalisation(width)), Swish);

    private static MobileBlock Block(int from, int kernel, int inner, int to, bool squeeze, Func<Tensor, Tensor> activation, int stride) =>
        new(from, kernel, inner, to, squeeze ? Eights(inner / 4) : 0, stride)
        {
            Activation = activation, SqueezeActivation = Relu, Gate = x => x.hardsigmoid(), Normalisation = Normalisation,
        };

    private static BatchNorm2d Normalisation(int width) => nn.BatchNorm2d(width, eps: 0.001, momentum: 0.01);

    // The nearest multiple of eight, and the next one where that would take away more than a tenth.
    private static int Eights(int width) => Math.Max(8, (width + 4) / 8 * 8) is var near && near < 0.9 * width ? near + 8 : near;
}
