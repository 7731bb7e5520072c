using System.Text.Json;
using System.Text.Json.Serialization;
using DmlPipeline.Learning.Data;

namespace DmlPipeline.Learning.Models;

/// <summary>Everything needed to build a model and to feed it, stored beside its weights.</summary>
/// <param name="Backbone">A name of the <see cref="Backbones.BackboneCatalogue"/>.</param>
/// <param name="EmbeddingSize">Length D of an embedding.</param>
/// <param name="Input">The shape that images are decoded to.</param>
/// <param name="Mean">Per channel, of pixel values 0..1 after inversion.</param>
/// <param name="Std">Per channel, as <paramref name="Mean"/>.</param>
/// <param name="Invert">Pixels are turned from dark-on-light to light-on-dark first, so that paper is zero.</param>
public sealed record ModelSpec(string Backbone, int EmbeddingSize, ImageShape Input, double[] Mean, double[] Std, bool Invert)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>How the backbone's feature maps become vectors.</summary>
    public Pooling Pooling { get; init; } = Pooling.Auto;

    /// <summary>What makes embeddings of these vectors.</summary>
    public EmbeddingHead Head { get; init; } = EmbeddingHead.Linear;

    /// <summary>How a ResNet takes in an image.</summary>
    public ResNetStem Stem { get; init; } = ResNetStem.Auto;

    /// <summary>The specification as one line of JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="InvalidDataException">The text is not a model specification.</exception>
    public static ModelSpec FromJson(string json)
    {
        try
        {
            var spec = JsonSerializer.Deserialize<ModelSpec>(json, Json);
            if (spec is { Backbone: not null, Input: not null, Mean: not null, Std: not null }) return spec.Checked();
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"The model's specification is not valid JSON: {error.Message}", error);
        }
        throw new InvalidDataException("The model's specification lacks its backbone, its input shape or its normalisation; the file was not written by this pipeline.");
    }

    private ModelSpec Checked()
    {
        if (EmbeddingSize is < 1 or > 65_536) throw new InvalidDataException($"The model's embedding size {EmbeddingSize} is not in 1..65536.");
        if (Input.Channels is not (1 or 3)) throw new InvalidDataException($"The model takes {Input.Channels} channels; 1 and 3 are possible.");
        if (Mean.Length != Input.Channels || Std.Length != Input.Channels || Array.Exists(Std, value => !(value > 0)))
            throw new InvalidDataException("The model's normalisation needs one mean and one positive standard deviation for each channel.");
        return this;
    }
}

/// <summary>What follows the pooled features.</summary>
public enum EmbeddingHead
{
    /// <summary>A linear layer.</summary>
    Linear,

    /// <summary>A linear layer and batch normalisation without learned scale or shift, for the BN softmax losses.</summary>
    BatchNorm,

    /// <summary>Nothing: the features are the embedding.</summary>
    None,
}

/// <summary>The first layers of a ResNet.</summary>
public enum ResNetStem
{
    /// <summary>Small for inputs of up to 64 pixels, standard above.</summary>
    Auto,

    /// <summary>A 7x7 convolution with stride 2 and a max pool, as in the paper: an eighth of the work, for large images.</summary>
    Standard,

    /// <summary>A 3x3 convolution with stride 1 and no pool, so that small images keep their detail.</summary>
    Small,
}
