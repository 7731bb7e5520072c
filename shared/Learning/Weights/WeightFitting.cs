using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Weights;

/// <summary>Brings a tensor of a file to the shape that a network needs, where there is one right way.</summary>
internal static class WeightFitting
{
    private const long MostTokens = 1 << 16;

    /// <summary>The fitted tensor and how it was fitted (null: as it was); null when it does not fit.</summary>
    public static (Tensor Value, string? How)? Fit(Tensor value, long[] shape)
    {
        var from = value.shape;
        if (from.AsSpan().SequenceEqual(shape)) return (value, null);
        // Conversions from Caffe left vectors as rows, and old PyTorch had no numbers without a dimension.
        if (shape.Length <= 1 && from.Length <= 4 && from.Where(size => size != 1).SequenceEqual(shape.Where(size => size != 1))) return (value.reshape(shape), null);
        if (shape is [var outputs, 1, var height, var width] && from is [var o, 3, var h, var w] && (o, h, w) == (outputs, height, width))
            return (value.to(ScalarType.Float32).sum(1, true), "summed over the colours"); // a grey image has the same value in each
        return Positions(value, shape);
    }

    /// <summary>Position embeddings [1, 1 + g g, D] of another grid, resized as an image of D channels; the class token's own stays.</summary>
    private static (Tensor, string?)? Positions(Tensor value, long[] shape)
    {
        if (shape is not [1, > 1 and var tokens, var width] || value.shape is not [1, > 1 and <= MostTokens and var oldTokens, var oldWidth] || width != oldWidth) return null;
        if (Side(tokens - 1) is not { } side || Side(oldTokens - 1) is not { } oldSide) return null;
        var all = value.to(ScalarType.Float32);
        var map = all.narrow(1, 1, oldTokens - 1).reshape(1, oldSide, oldSide, width).permute(0, 3, 1, 2);
        var resized = F.interpolate(map, [side, side], mode: InterpolationMode.Bicubic, align_corners: false);
        var places = resized.permute(0, 2, 3, 1).reshape(1, tokens - 1, width);
        return (cat([all.narrow(1, 0, 1), places], 1), $"resized from {oldSide} x {oldSide} places to {side} x {side}");
    }

    private static long? Side(long places) => (long)Math.Round(Math.Sqrt(places)) is var side && side * side == places ? side : null;
}
