using DmlPipeline.Learning.Backbones;
using DmlPipeline.Torch;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Models;

/// <summary>Pixels in, embeddings out: normalisation, backbone, head and L2 normalisation in one module.</summary>
public sealed class EmbeddingModel : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor> backbone;
    private readonly BatchNorm2d? head;

    private EmbeddingModel(ModelSpec spec) : base(nameof(EmbeddingModel))
    {
        Spec = spec;
        backbone = spec.Backbone switch
        {
            "conv4" => new Conv4(spec.Input, spec.EmbeddingSize),
            "resnet18" => new ResNet18(spec.Input, spec.EmbeddingSize, spec.Stem),
            _ => throw new InvalidDataException($"There is no backbone '{spec.Backbone}'; there are conv4 and resnet18."),
        };
        register_module("backbone", backbone);
        if (spec.Head == EmbeddingHead.BatchNorm)
        {
            head = nn.BatchNorm2d(spec.EmbeddingSize, affine: false);
            register_module("head", head);
        }

        // Inversion, scaling to 0..1 and normalisation are one multiplication and one addition per pixel.
        var sign = spec.Invert ? -1 : 1;
        var scale = spec.Std.Select(std => (float)(sign / (255 * std))).ToArray();
        var shift = spec.Std.Zip(spec.Mean, (std, mean) => (float)(((spec.Invert ? 1 : 0) - mean) / std)).ToArray();
        register_buffer("pixel_scale", tensor(scale).reshape(1, scale.Length, 1, 1), persistent: false);
        register_buffer("pixel_shift", tensor(shift).reshape(1, shift.Length, 1, 1), persistent: false);
    }

    /// <summary>What the model was built from.</summary>
    public ModelSpec Spec { get; }

    /// <summary>Builds a model whose weights are a function of the seed alone. It sets torch's generator.</summary>
    public static EmbeddingModel Create(ModelSpec spec, long seed)
    {
        // Layers make their tensors outside every scope; what is drawn on the way is freed.
        using var scope = NewDisposeScope();
        var model = new EmbeddingModel(spec);
        InitialWeights.Draw(model, seed);
        model.ToChannelsLast();
        return model;
    }

    /// <summary>Embeddings of unit length [N, D], from pixels [N, C, H, W] as uint8 or as float 0..255.</summary>
    public override Tensor forward(Tensor input)
    {
        using var features = Features(input);
        return F.normalize(features);
    }

    /// <summary>The same before L2 normalisation [N, D]: what the losses take.</summary>
    public Tensor Features(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var x = (pixels.to(ScalarType.Float32) * get_buffer("pixel_scale")! + get_buffer("pixel_shift")!).ChannelsLast();
        var features = backbone.call(x);
        if (head is not null) features = head.call(features.reshape(-1, Spec.EmbeddingSize, 1, 1)).reshape(-1, Spec.EmbeddingSize);
        return features.MoveToOuterDisposeScope();
    }

    /// <summary>Writes weights and specification as safetensors.</summary>
    public void Save(string path, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var header = new Dictionary<string, string>(metadata ?? new Dictionary<string, string>(StringComparer.Ordinal), StringComparer.Ordinal)
        {
            ["format"] = "pt",
            ["spec"] = Spec.ToJson(),
        };
        using var file = File.Create(path);
        Safetensors.Write(file, state_dict(), header);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Reads a model that <see cref="Save"/> wrote, in evaluation mode.</summary>
    /// <exception cref="InvalidDataException">The file is broken or is not a model of this pipeline.</exception>
    public static EmbeddingModel Load(string safetensorsPath)
    {
        var (tensors, metadata) = Safetensors.Read(safetensorsPath);
        try
        {
            if (!metadata.TryGetValue("spec", out var spec))
                throw new InvalidDataException($"{Path.GetFileName(safetensorsPath)} holds no model specification; it was not written by this pipeline.");
            var model = Create(ModelSpec.FromJson(spec), seed: 0);
            model.LoadWeights(tensors, Path.GetFileName(safetensorsPath));
            model.eval();
            return model;
        }
        finally
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
        }
    }

    /// <summary>Copies weights and buffers of the same names and shapes into this model.</summary>
    /// <exception cref="InvalidDataException">One is missing or has another shape.</exception>
    public void LoadWeights(IReadOnlyDictionary<string, Tensor> weights, string source)
    {
        using var noGradient = no_grad();
        foreach (var (name, target) in state_dict())
        {
            if (!weights.TryGetValue(name, out var value)) throw new InvalidDataException($"{source} lacks the tensor '{name}' of this model.");
            if (!value.shape.AsSpan().SequenceEqual(target.shape))
                throw new InvalidDataException($"{source} holds '{name}' as [{string.Join(", ", value.shape)}]; the model needs [{string.Join(", ", target.shape)}].");
            target.copy_(value);
        }
    }
}
