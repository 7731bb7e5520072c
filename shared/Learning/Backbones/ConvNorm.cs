using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Backbones;

/// <summary>A convolution, batch normalisation and, if there is one, an activation; the two layers have whatever names a framework's weights give them.</summary>
internal sealed class ConvNorm : nn.Module<Tensor, Tensor>
{
    // One field that is no module: fields that are would be registered a second time, under their own names.
    private readonly (Conv2d Convolution, BatchNorm2d Normalisation) layers;
    private readonly Func<Tensor, Tensor>? activation;

    public ConvNorm((string Name, Conv2d Layer) convolution, (string Name, BatchNorm2d Layer) normalisation, Func<Tensor, Tensor>? activation) : base(nameof(ConvNorm))
    {
        layers = (convolution.Layer, normalisation.Layer);
        this.activation = activation;
        register_module(convolution.Name, convolution.Layer);
        register_module(normalisation.Name, normalisation.Layer);
    }

    public override Tensor forward(Tensor input)
    {
        using var convolved = layers.Convolution.call(input);
        var normalised = layers.Normalisation.call(convolved);
        if (activation is null) return normalised;
        using (normalised) return activation(normalised);
    }
}
