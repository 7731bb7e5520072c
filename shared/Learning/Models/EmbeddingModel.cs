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
    private readonly PoolingLayer pooling;
    private readonly Linear? embedding;
    private readonly BatchNorm2d? head;
    private bool batchNormIsFrozen;

    private EmbeddingModel(ModelSpec spec) : base(nameof(EmbeddingModel))
    {
        Spec = spec;
        var entry = BackboneCatalogue.Get(spec.Backbone);
        if (spec.Pooling == Pooling.ClassToken && !entry.HasClassToken) throw new InvalidDataException($"{spec.Backbone} has no class token: choose another pooling.");
        backbone = entry.Build(spec);
        pooling = new PoolingLayer(spec.Pooling == Pooling.Auto ? entry.Pooling : spec.Pooling);
        register_module(nameof(backbone), backbone);
        register_module(nameof(pooling), pooling);
        var features = Keeps(entry, spec) ? Places(backbone, spec) : entry.FeatureWidth;
        if (spec.Head != EmbeddingHead.None)
        {
            embedding = nn.Linear(features, spec.EmbeddingSize);
            register_module(nameof(embedding), embedding);
        }
        else if (spec.EmbeddingSize != features)
        {
            throw new InvalidDataException($"Without a head the embedding is what {spec.Backbone} gives, {features} values, not {spec.EmbeddingSize}.");
        }
        if (spec.Head == EmbeddingHead.BatchNorm)
        {
            head = nn.BatchNorm2d(spec.EmbeddingSize, affine: false);
            register_module(nameof(head), head);
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

    /// <summary>The pretrained part, which may learn slower than the rest or not at all.</summary>
    public IEnumerable<Parameter> BackboneParameters => backbone.parameters();

    /// <summary>Values of a pooled feature vector.</summary>
    /// <exception cref="InvalidDataException">The backbone cannot take the input.</exception>
    public static int FeatureSize(ModelSpec spec)
    {
        var entry = BackboneCatalogue.Get(spec.Backbone);
        if (!Keeps(entry, spec)) return entry.FeatureWidth;
        using var scope = NewDisposeScope();
        using var network = entry.Build(spec);
        return Places(network, spec);
    }

    /// <summary>Whether the vector has every place of the map, and so a size that depends on the image's.</summary>
    private static bool Keeps(BackboneEntry entry, ModelSpec spec) => (spec.Pooling == Pooling.Auto ? entry.Pooling : spec.Pooling) == Pooling.Flatten;

    /// <summary>Values of the map that an image becomes: asked of the network itself, since networks round sizes in their own ways.</summary>
    private static int Places(nn.Module<Tensor, Tensor> network, ModelSpec spec)
    {
        using var noGradient = no_grad();
        network.eval();
        using var image = zeros([1, spec.Input.Channels, spec.Input.Height, spec.Input.Width]);
        using var map = network.call(image);
        network.train();
        return (int)map.numel();
    }

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
        var map = backbone.call(x);
        var features = pooling.call(map);
        if (embedding is not null) features = embedding.call(features);
        if (head is not null) features = head.call(features.reshape(-1, Spec.EmbeddingSize, 1, 1)).reshape(-1, Spec.EmbeddingSize);
        return features.MoveToOuterDisposeScope();
    }

    /// <summary>From now on the backbone's batch normalisation keeps the statistics, scale and shift that it has, as is usual with pretrained weights and
    /// small batches.</summary>
    public void FreezeBatchNorm()
    {
        batchNormIsFrozen = true;
        foreach (var layer in BatchNorms())
            foreach (var parameter in layer.parameters()) parameter.requires_grad = false;
        train(training);
    }

    /// <summary>Switches between training and evaluation; frozen batch normalisation stays in evaluation.</summary>
    public override void train(bool train = true)
    {
        base.train(train);
        if (!batchNormIsFrozen) return;
        foreach (var layer in BatchNorms()) layer.eval();
    }

    private IEnumerable<BatchNorm2d> BatchNorms() => backbone.modules().OfType<BatchNorm2d>();

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
