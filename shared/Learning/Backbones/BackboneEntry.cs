using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Backbones;

/// <summary>A network without its classifier: images [B, C, H, W] in, feature maps [B, <see cref="FeatureWidth"/>, h, w] out.</summary>
public sealed class BackboneEntry
{
    private readonly Func<ModelSpec, nn.Module<Tensor, Tensor>> build;

    internal BackboneEntry(string name, string paper, int featureWidth, long parameters, int smallestSide, Func<ModelSpec, nn.Module<Tensor, Tensor>> build) =>
        (Name, Paper, FeatureWidth, Parameters, SmallestSide, this.build) = (name, paper, featureWidth, parameters, smallestSide, build);

    /// <summary>What recipes call it.</summary>
    public string Name { get; }

    /// <summary>Where it comes from.</summary>
    public string Paper { get; }

    /// <summary>Channels of its feature maps.</summary>
    public int FeatureWidth { get; }

    /// <summary>Learned numbers, for colour images and without a classifier.</summary>
    public long Parameters { get; }

    /// <summary>Pixels that each side of an image must have at least.</summary>
    public int SmallestSide { get; }

    /// <summary>Pixels that the sides must be multiples of.</summary>
    public int SideMultiple { get; internal init; } = 1;

    /// <summary>How its feature maps become one vector, when nobody says otherwise.</summary>
    public Pooling Pooling { get; internal init; } = Pooling.Average;

    /// <summary>What its published weights expect of pixels.</summary>
    public Normalisation Normalisation { get; internal init; } = Normalisation.Imagenet;

    /// <summary>Whether it can be pooled to a class token.</summary>
    public bool HasClassToken => Pooling == Pooling.ClassToken;

    /// <summary>What is wrong with images of this shape, and the remedy; null when nothing is.</summary>
    public string? Problem(ImageShape input)
    {
        var smallest = Math.Min(input.Height, input.Width);
        if (smallest < SmallestSide) return $"{Name} needs images of {SmallestSide} x {SmallestSide} pixels or more, not {input.Width} x {input.Height}: raise image.size";
        if (input.Height % SideMultiple == 0 && input.Width % SideMultiple == 0) return null;
        var nearest = Math.Max(SideMultiple, (smallest + (SideMultiple / 2)) / SideMultiple * SideMultiple);
        return $"{Name} cuts images into squares of {SideMultiple} pixels and {input.Width} x {input.Height} is no multiple of that: set image.size to {nearest}";
    }

    /// <summary>A new network; its weights are still to be drawn or read.</summary>
    /// <exception cref="InvalidDataException">It cannot take images of that shape.</exception>
    internal nn.Module<Tensor, Tensor> Build(ModelSpec spec) =>
        Problem(spec.Input) is { } problem ? throw new InvalidDataException($"{problem}.") : build(spec);
}
