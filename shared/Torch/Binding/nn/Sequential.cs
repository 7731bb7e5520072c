using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>Modules run one after another; what lies between two of them is disposed as soon as the second is done.</summary>
public class Sequential : nn.Module<Tensor, Tensor>
{
    private readonly List<nn.Module<Tensor, Tensor>> order = [];

    protected internal Sequential(params (string name, nn.Module<Tensor, Tensor> submodule)[] modules)
        : base(nameof(Sequential))
    {
        foreach (var (moduleName, module) in modules) append(moduleName, module);
    }

    protected internal Sequential(params nn.Module<Tensor, Tensor>[] modules)
        : base(nameof(Sequential))
    {
        foreach (var module in modules) append(module);
    }

    public int Count => order.Count;

    public Sequential append(string name, nn.IModule<Tensor, Tensor> module)
    {
        var layer = (nn.Module<Tensor, Tensor>)module;
        register_module(name, layer);
        order.Add(layer);
        return this;
    }

    public Sequential append(nn.IModule<Tensor, Tensor> module) => append(order.Count.ToString(), module);

    public override Tensor forward(Tensor tensor)
    {
        if (order.Count == 0) return tensor.alias();
        var current = tensor;
        foreach (var module in order)
        {
            var next = module.call(current);
            if (!ReferenceEquals(current, tensor) && !ReferenceEquals(current, next)) current.Dispose();
            current = next;
        }
        return current;
    }

    // The order is the registration's; the list is no component of its own.
    protected override void RegisterComponents()
    {
    }
}
