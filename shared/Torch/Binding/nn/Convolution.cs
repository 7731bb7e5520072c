using DmlPipeline.Torch.Binding;
using static TorchSharp.torch;

namespace TorchSharp.Modules;

public abstract class Convolution : nn.Module<Tensor, Tensor>
{
    private readonly string paddingMode;
    private readonly long[] paddingAround; // last dimension first, each side, as aten::pad wants it

    private protected Convolution(
        string name, long inChannels, long outChannels, long[] kernelSize, long[] stride, long[] padding, long[] dilation,
        PaddingModes paddingMode, long groups, bool bias, Device? device, ScalarType? dtype)
        : base(name)
    {
        if (inChannels % groups != 0 || outChannels % groups != 0)
            throw new ArgumentException($"{inChannels} and {outChannels} channels must both be divisible by {groups} groups.", nameof(groups));
        in_channels = inChannels;
        out_channels = outChannels;
        kernel_size = kernelSize;
        this.stride = stride;
        this.padding = padding;
        this.dilation = dilation;
        this.groups = groups;
        padding_mode = paddingMode;
        this.paddingMode = paddingMode.ToString().ToLowerInvariant();
        paddingAround = [.. padding.Reverse().SelectMany(p => (long[])[p, p])];
        Own("weight", new Parameter(empty([outChannels, inChannels / groups, .. kernelSize], dtype, device)));
        if (bias) Own("bias", new Parameter(empty([outChannels], dtype, device)));
        reset_parameters();
    }

    public long in_channels { get; }

    public long out_channels { get; }

    public long[] kernel_size { get; }

    public long[] stride { get; }

    public long[] padding { get; }

    public long[] dilation { get; }

    public long groups { get; }

    public PaddingModes padding_mode { get; }

    public Parameter? weight
    {
        get => OwnParameter("weight");
        set => ConditionallyRegisterParameter("weight", value);
    }

    public Parameter? bias
    {
        get => OwnParameter("bias");
        set => ConditionallyRegisterParameter("bias", value);
    }

    public void reset_parameters() => LinearInitialisation.Reset(weight!, bias);

    private protected Tensor Convolve(Op op, Tensor input)
    {
        var dims = kernel_size.Length;
        if ((input.ndim != dims + 2 && input.ndim != dims + 1) || input.shape[^(dims + 1)] != in_channels)
        {
            throw new ArgumentException(
                $"A convolution of {in_channels} channels needs input [N, {in_channels}, ...] of {dims + 2} dimensions; got [{string.Join(", ", input.shape)}].",
                nameof(input));
        }
        if (padding_mode == PaddingModes.Zeros) return op.Call(input, weight, bias, stride, padding, dilation, groups);
        using var padded = nn.functional.Pad(input, paddingAround, paddingMode, 0);
        return op.Call(padded, weight, bias, stride, 0, dilation, groups);
    }
}

public sealed class Conv2d : Convolution
{
    private static readonly Op Conv = new("aten::conv2d");

    internal Conv2d(
        long inChannels, long outChannels, (long, long) kernelSize, (long, long) stride, (long, long) padding, (long, long) dilation,
        PaddingModes paddingMode, long groups, bool bias, Device? device, ScalarType? dtype)
        : base(
            nameof(Conv2d), inChannels, outChannels, Both(kernelSize), Both(stride), Both(padding), Both(dilation),
            paddingMode, groups, bias, device, dtype)
    {
    }

    public override Tensor forward(Tensor input) => Convolve(Conv, input);

    private static long[] Both((long First, long Second) pair) => [pair.First, pair.Second];
}
