using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Backbones;

/// <summary>What a mobile block is made of.</summary>
/// <param name="From">Channels of the input.</param>
/// <param name="Kernel">Side of the depthwise convolution.</param>
/// <param name="Inner">Channels in between; as many as <paramref name="From"/>: nothing is widened.</param>
/// <param name="To">Channels of the result.</param>
/// <param name="Squeeze">Channels between squeeze and excitation; 0: there is none.</param>
/// <param name="Stride">Of the depthwise convolution.</param>
internal sealed record MobileBlock(int From, int Kernel, int Inner, int To, int Squeeze, int Stride)
{
    public required Func<Tensor, Tensor> Activation { get; init; }

    /// <summary>Of the narrow layer of squeeze-and-excitation.</summary>
    public required Func<Tensor, Tensor> SqueezeActivation { get; init; }

    /// <summary>From 0 to 1, what channels are multiplied by.</summary>
    public required Func<Tensor, Tensor> Gate { get; init; }

    /// <summary>Makes the batch normalisation that follows a convolution.</summary>
    public required Func<int, BatchNorm2d> Normalisation { get; init; }

    /// <summary>Probability that an image takes only the way around the block, in training.</summary>
    public double Skip { get; init; }
}

/// <summary>Widen, convolve each channel on its own, weigh channels, narrow (Sandler et al., arXiv 1801.04381), with torchvision's names: block.0, block.1, …</summary>
internal sealed class InvertedResidual : nn.Module<Tensor, Tensor>
{
    private readonly MobileBlock shape;
    private readonly Sequential block;

    public InvertedResidual(MobileBlock shape) : base(nameof(InvertedResidual))
    {
        this.shape = shape;
        var steps = new List<nn.Module<Tensor, Tensor>>();
        if (shape.Inner != shape.From) steps.Add(Step(nn.Conv2d(shape.From, shape.Inner, 1, bias: false), shape.Inner, shape.Activation));
        var depthwise = nn.Conv2d(shape.Inner, shape.Inner, shape.Kernel, stride: shape.Stride, padding: shape.Kernel / 2, groups: shape.Inner, bias: false);
        steps.Add(Step(depthwise, shape.Inner, shape.Activation));
        if (shape.Squeeze > 0) steps.Add(new SqueezeExcitation(shape));
        steps.Add(Step(nn.Conv2d(shape.Inner, shape.To, 1, bias: false), shape.To, activation: null));
        block = nn.Sequential([.. steps]);
        register_module(nameof(block), block);
    }

    public override Tensor forward(Tensor input)
    {
        var result = block.call(input);
        if (shape.Stride != 1 || shape.From != shape.To) return result;
        using var kept = training && shape.Skip > 0 ? SkipSome(result) : result;
        return kept + input;
    }

    private ConvNorm Step(Conv2d convolution, int width, Func<Tensor, Tensor>? activation) => new(("0", convolution), ("1", shape.Normalisation(width)), activation);

    /// <summary>Stochastic depth (Huang et al., arXiv 1603.09382): the block of some images is left out, that of the others weighs more in turn.</summary>
    private Tensor SkipSome(Tensor result)
    {
        using (result)
        using (var each = ones([result.shape[0], 1, 1, 1], result.dtype, result.device))
        using (var kept = F.dropout(each, shape.Skip))
            return result * kept;
    }

    /// <summary>Channels are multiplied by what two layers make of their means (Hu et al., arXiv 1709.01507).</summary>
    private sealed class SqueezeExcitation : nn.Module<Tensor, Tensor>
    {
        private readonly MobileBlock shape;
        private readonly Conv2d fc1, fc2;

        public SqueezeExcitation(MobileBlock shape) : base(nameof(SqueezeExcitation))
        {
            this.shape = shape;
            fc1 = nn.Conv2d(shape.Inner, shape.Squeeze, 1);
            fc2 = nn.Conv2d(shape.Squeeze, shape.Inner, 1);
            register_module(nameof(fc1), fc1);
            register_module(nameof(fc2), fc2);
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var means = input.mean([2, 3], true); // [B, C, 1, 1]
            var weights = shape.Gate(fc2.call(shape.SqueezeActivation(fc1.call(means))));
            return (input * weights).MoveToOuterDisposeScope();
        }
    }
}
