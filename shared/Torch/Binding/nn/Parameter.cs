using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>A tensor that a module learns.</summary>
public class Parameter : Tensor
{
    /// <summary>Takes the tensor over: <paramref name="data"/> is as good as disposed afterwards.</summary>
    public Parameter(Tensor data, bool requires_grad = true)
        : base(TakeOver(data, requires_grad, out var scope), register: false) => scope?.Add(this);

    private static nint TakeOver(Tensor data, bool requiresGrad, out DisposeScope? scope)
    {
        data.requires_grad = requiresGrad;
        scope = data.OwningDisposeScope;
        scope?.Remove(data);
        return data.MoveHandle();
    }
}
