using DmlPipeline.Learning.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Backbones;

/// <summary>EfficientNet-B0 (Tan and Le, arXiv 1905.11946, table 1) with torchvision's parameter names: images [B, C, H, W] to feature maps [B, 1280, H/32, W/32].</summary>
internal static class EfficientNet
{
    private const int Stem = 32, Head = 1280;
    private const double LastSkip = 0.2; // of stochastic depth, which rises from 0 over the blocks

    private static readonly (int Widening, int Kernel, int Stride, int From, int To, int Blocks)[] Stages =
    [
        (1, 3, 1, 32, 16, 1), (6, 3, 2, 16, 24, 2), (6, 5, 2, 24, 40, 2), (6, 3, 2, 40, 80, 3), (6, 5, 1, 80, 112, 3), (6, 5, 2, 112, 192, 4), (6, 3, 1, 192, 320, 1),
    ];

    public static nn.Module<Tensor, Tensor> Build(ModelSpec spec)
    {
        var layers = new List<nn.Module<Tensor, Tensor>> { Step(nn.Conv2d(spec.Input.Channels, Stem, 3, stride: 2, padding: 1, bias: false), Stem) };
        var (block, blocks) = (0, Stages.Sum(stage => stage.Blocks));
        foreach (var stage in Stages)
        {
            layers.Add(nn.Sequential([.. Enumerable.Range(0, stage.Blocks).Select(i =>
            {
                var from = i == 0 ? stage.From : stage.To;
                return new InvertedResidual(new MobileBlock(from, stage.Kernel, from * stage.Widening, stage.To, Math.Max(1, from / 4), i == 0 ? stage.Stride : 1)
                {
                    Activation = x => x.silu(), SqueezeActivation = x => x.silu(), Gate = x => x.sigmoid(), Normalisation = width => nn.BatchNorm2d(width),
                    Skip = LastSkip * block++ / blocks,
                });
            })]));
        }
        layers.Add(Step(nn.Conv2d(Stages[^1].To, Head, 1, bias: false), Head));
        return nn.Sequential(("features", nn.Sequential([.. layers])));
    }

    private static ConvNorm Step(TorchSharp.Modules.Conv2d convolution, int width) => new(("0", convolution), ("1", nn.BatchNorm2d(width)), x => x.silu());
}
