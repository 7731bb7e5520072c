using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Clustering by facility location: Song, Jegelka, Rathod and Murphy, CVPR 2017, arXiv 1612.01213, sections 3.2 to 3.4.</summary>
/// <remarks>
/// <code>
/// F(S) = -mean over images of the distance to the nearest of the medoids S;   F* = the same with each image held to its class's best medoid
/// loss = max(0, max over S, |S| = classes, of [F(S) + γ (1 - NMI(clusters of S, classes))] - F*),   d Euclidean on L2-normalised features
/// </code>
/// The clustering that scores best although it is wrong is searched greedily and then refined (<see cref="MedoidSearch"/>); its medoids are constants to the
/// gradient. NMI is normalised by the geometric mean of the entropies, as in the paper. Distances are a mean here and a sum in the paper, so that γ is
/// independent of the batch size.
/// </remarks>
public sealed class FacilityLocationLoss(double structure) : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "facility-location", "Song et al., CVPR 2017, arXiv 1612.01213", "max(0, max_S [F(S) + γ (1 - NMI)] - F*), F = -mean distance to the nearest medoid",
        context => new FacilityLocationLoss(context.Number("structure")))
    {
        Options = [LossOption.Number("structure", 1, 0, 1e3, "γ: how much better than the classes a wholly wrong clustering may not score; in units of mean distance, of which there are at most 2")],
    };

    /// <summary>The batch is clustered as a whole.</summary>
    public override bool IsSumOverAnchors => false;

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        if (!BatchPairs.Of(input).Counted.any().item<bool>()) return [LossTerms.Nothing(input.Anchors)];
        var d = Distances.Euclidean(input);                                                          // [B, B]
        var search = MedoidSearch.Of(d, input.AnchorLabels, structure);
        var own = Mean(d, search.OwnMedoids);
        var loss = (own - Mean(d, search.NearestMedoids) + (structure * search.Disagreement)).relu();
        return [new LossTerms(loss.unsqueeze(0), torch.ones([1], torch.ScalarType.Bool, d.device))];
    }

    /// <summary>The mean distance of the images to the given medoid of each; a medoid is at no distance from itself.</summary>
    private static torch.Tensor Mean(torch.Tensor d, long[] medoids)
    {
        var to = torch.tensor(medoids).to(d.device).unsqueeze(1);                                    // [B, 1]
        var self = torch.arange(0, medoids.Length, 1, torch.ScalarType.Int64, d.device).unsqueeze(1).eq(to);
        return d.gather(1, to).masked_fill(self, 0).mean();
    }
}
