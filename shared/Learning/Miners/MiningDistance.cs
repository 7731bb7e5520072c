using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Recipes;
using TorchSharp;

namespace DmlPipeline.Learning.Miners;

/// <summary>How far apart a miner takes anchors and references to be: options that many miners share.</summary>
internal sealed class MiningDistance
{
    private readonly Func<LossInput, torch.Tensor> measure;

    private MiningDistance(Func<LossInput, torch.Tensor> measure) => this.measure = measure;

    /// <summary>The options.</summary>
    public static IReadOnlyList<LossOption> Options { get; } =
    [
        LossOption.Choice("distance", "`lp` as most losses here, at most 2 when normalised; `cosine` is 1 - cosine; `snr` the signal-to-noise distance of the features as they are", "lp", "cosine", "snr"),
        LossOption.Number("p", 2, 1, 100, "lp: the power; 2 is Euclidean"),
        LossOption.Flag("normalised", true, "lp: of L2-normalised features"),
    ];

    /// <summary>What the options ask for.</summary>
    public static MiningDistance Of(MinerSettings settings)
    {
        var (p, normalised) = (settings.Number("p"), settings.Flag("normalised"));
        return new(settings.Choice("distance") switch
        {
            "cosine" => input => 1 - Distances.Cosine(input),
            "snr" => Distances.SignalToNoise,
            _ when !normalised => input => Distances.Lp(input, p),
            _ when p == 2 => Distances.Euclidean,
            _ => input => Distances.Lp(input.Normalised(), p),
        });
    }

    /// <summary>[A, R], the smaller the more alike.</summary>
    public torch.Tensor Between(LossInput input) => measure(input);
}
