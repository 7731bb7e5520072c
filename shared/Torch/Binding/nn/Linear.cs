using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>y = x W^T + b with W of [out, in].</summary>
public sealed class Linear : nn.Module<Tensor, Tensor>
{
    internal Linear(long inputSize, long outputSize, bool hasBias, Device? device, ScalarType? dtype)
        : base(nameof(Linear))
    {
        in_features = inputSize;
        out_features = outputSize;
        Own("weight", new Parameter(empty([outputSize, inputSize], dtype, device)));
        if (hasBias) Own("bias", new Parameter(empty([outputSize], dtype, device)));
        LinearInitialisation.Reset(weight!, bias);
    }

    public long in_features { get; }

    public long out_features { get; }

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

    public override Tensor forward(Tensor tensor) => nn.functional.linear(tensor, weight!, bias);
}
