using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Models;

/// <summary>Feature maps [B, C, h, w] to vectors [B, C], or [B, C h w] without pooling.</summary>
internal sealed class PoolingLayer : nn.Module<Tensor, Tensor>
{
    // Radenović et al.: the power starts at 3, and values are held above 1e-6, where its root is still differentiable.
    private const double FirstPower = 3, Floor = 1e-6, LargestPower = 100;
    private static readonly long[] Places = [2, 3];

    private readonly Pooling kind;
    private readonly Parameter? p;

    public PoolingLayer(Pooling kind) : base(nameof(PoolingLayer))
    {
        this.kind = kind;
        if (kind != Pooling.Gem) return;
        p = new Parameter(full([1], FirstPower));
        register_parameter(nameof(p), p);
    }

    public override Tensor forward(Tensor map) => kind switch
    {
        Pooling.Flatten => map.flatten(1),
        Pooling.Max => map.amax(Places, false),
        Pooling.Gem => GeneralisedMean(map),
        Pooling.Spoc => map.sum(Places),
        Pooling.SpocCentre => CentredSum(map),
        _ => map.mean(Places),
    };

    /// <summary>(mean x^p)^(1/p), relative to each channel's largest value, so that no power of a large value overflows.</summary>
    private Tensor GeneralisedMean(Tensor map)
    {
        using var scope = NewDisposeScope();
        var x = map.clamp_min(Floor);
        var largest = x.amax(Places, true).detach();
        var power = p!.clamp(1, LargestPower); // 1 is the average, and 100 the maximum to within a few per cent
        var mean = (x / largest).pow(power).mean(Places); // from 1/(h w) to 1
        return (mean.pow(1 / power) * largest.flatten(1)).MoveToOuterDisposeScope();
    }

    /// <summary>sum of exp(-d^2 / 2 s^2) x, with d the distance from the centre and s a third of the way from there to the nearest border.</summary>
    private static Tensor CentredSum(Tensor map)
    {
        using var scope = NewDisposeScope();
        var (height, width) = (map.shape[2], map.shape[3]);
        var deviation = Math.Max(1, Math.Min(height, width)) / 2.0 / 3.0;
        var rows = Gaussian(height, deviation, map).reshape(1, 1, height, 1);
        var columns = Gaussian(width, deviation, map).reshape(1, 1, 1, width);
        return (map * rows * columns).sum(Places).MoveToOuterDisposeScope();
    }

    private static Tensor Gaussian(long length, double deviation, Tensor like)
    {
        var weights = new float[length];
        for (var i = 0; i < weights.Length; i++)
        {
            var distance = i - ((length - 1) / 2.0);
            weights[i] = (float)Math.Exp(-distance * distance / (2 * deviation * deviation));
        }
        return tensor(weights).to(like.dtype, like.device);
    }
}
