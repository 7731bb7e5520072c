using TorchSharp;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Losses;

/// <summary>Similarities and distances between all anchors and all references, [A, D] and [R, D] -> [A, R].</summary>
public static class Distances
{
    /// <summary>Cosine similarity, in -1..1 up to rounding.</summary>
    public static torch.Tensor Cosine(LossInput input)
    {
        var unit = input.Normalised();
        return unit.Anchors.matmul(unit.References.t());
    }

    /// <summary>Squared Euclidean distance of the L2-normalised features, in 0..4: 2 - 2 cosine.</summary>
    public static torch.Tensor SquaredEuclidean(LossInput input) => (2 - (Cosine(input) * 2)).clamp_min(0);

    /// <summary>Euclidean distance of the L2-normalised features, in 0..2. Where two features coincide its gradient, which does not exist, is zero.</summary>
    public static torch.Tensor Euclidean(LossInput input) => Stable.Sqrt(SquaredEuclidean(input));

    /// <summary>Minkowski distance (sum |a - r|^p)^(1/p) of the features as they are. Where two features coincide its gradient, which does not exist, is zero.</summary>
    /// <param name="input">Anchors and references.</param>
    /// <param name="p">At least 1; 1 is the city-block distance, 2 the Euclidean.</param>
    public static torch.Tensor Lp(LossInput input, double p)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(p, 1);
        var (a, r) = (input.Anchors, input.References);
        if (p == 2) return Stable.Sqrt((a.square().sum(1).unsqueeze(1) + r.square().sum(1).unsqueeze(0) - (a.matmul(r.t()) * 2)).clamp_min(0));
        if (input.IsEmpty) return a.matmul(r.t());
        // In units of the largest number: its p-th power must not overflow.
        var unit = a.detach().abs().max().maximum(r.detach().abs().max()).clamp_min(1e-12);
        return torch.cdist(a / unit, r / unit, p) * unit;
    }

    /// <summary>
    /// Signal-to-noise distance of the features as they are, var(reference - anchor) / var(anchor) over the dimensions: Yuan et al., CVPR 2019,
    /// arXiv 1904.02616, equation 4. Not symmetric.
    /// </summary>
    public static torch.Tensor SignalToNoise(LossInput input)
    {
        var (a, r) = (Centred(input.Anchors), Centred(input.References));
        var anchorVariance = a.square().sum(1).unsqueeze(1);                             // [A, 1], times D - 1
        var noise = anchorVariance + r.square().sum(1).unsqueeze(0) - (a.matmul(r.t()) * 2); // |r - a|², expanded
        return noise.clamp_min(0) / anchorVariance.clamp_min(1e-12);
    }

    private static torch.Tensor Centred(torch.Tensor x) => x - x.mean([1], keepdim: true);
}
