using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>
/// Loss-augmented inference of <see cref="FacilityLocationLoss"/>: the medoids that score best with a bonus for disagreeing with the classes. Greedy first, one
/// medoid after the other (algorithm 1 of arXiv 1612.01213), then each medoid is exchanged within its cluster for a better one until none is (algorithm 2).
/// </summary>
/// <remarks>Runs on the CPU and takes K B² steps for K classes in a batch of B: milliseconds for a batch of 128, seconds for one of 1,000.</remarks>
internal sealed class MedoidSearch
{
    private const int MostRefinements = 5; // as the authors' T

    // Either image of a cluster of two is as good a medoid: the first, and not the one that rounding favours.
    private const double Tie = 1e-10;

    private readonly double[][] d;        // [B][B], zero from each image to itself
    private readonly int[] classes;       // [B], 0..K-1
    private readonly int[] classSizes;    // [K]
    private readonly double structure;

    private MedoidSearch(double[][] distances, int[] classes, double structure)
    {
        (d, this.classes, this.structure) = (distances, classes, structure);
        classSizes = new int[classes.Max() + 1];
        foreach (var own in classes) classSizes[own]++;
        OwnMedoids = [.. classes.Select(own => (long)MedoidOfClass(own))];
        var medoids = Greedy();
        Refine(medoids);
        var (nearest, clusters) = Assign(medoids);
        NearestMedoids = [.. nearest.Select(medoid => (long)medoid)];
        Disagreement = DisagreementOf(clusters, medoids.Count);
    }

    /// <summary>[B]: the image of the own class that its class is nearest to.</summary>
    public long[] OwnMedoids { get; }

    /// <summary>[B]: the nearest medoid that was found.</summary>
    public long[] NearestMedoids { get; }

    /// <summary>1 - NMI of the found clusters and the classes, 0..1.</summary>
    public double Disagreement { get; }

    /// <summary>Searches the batch with distances [B, B] and labels [B] int64.</summary>
    public static MedoidSearch Of(torch.Tensor distances, torch.Tensor labels, double structure)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradient = torch.no_grad();
        var count = (int)labels.shape[0];
        var flat = distances.detach().to(torch.ScalarType.Float64).cpu().contiguous().data<double>().ToArray();
        var rows = Enumerable.Range(0, count).Select(i => flat.AsSpan(i * count, count).ToArray()).ToArray();
        for (var i = 0; i < count; i++) rows[i][i] = 0;
        var numbers = new Dictionary<long, int>();
        var compact = labels.cpu().data<long>().ToArray().Select(label => numbers.TryGetValue(label, out var number) ? number : numbers[label] = numbers.Count);
        return new MedoidSearch(rows, [.. compact], structure);
    }

    private int MedoidOfClass(int own)
    {
        var members = Members(classes, own);
        return members.MinBy(medoid => members.Sum(image => d[image][medoid]));
    }

    private List<int> Greedy()
    {
        var medoids = new List<int>();
        var nearest = Enumerable.Repeat(double.PositiveInfinity, d.Length).ToArray();
        var clusters = new int[d.Length];
        var trial = new int[d.Length];
        while (medoids.Count < classSizes.Length)
        {
            var (best, bestScore) = (-1, double.NegativeInfinity);
            for (var candidate = 0; candidate < d.Length; candidate++)
            {
                if (medoids.Contains(candidate)) continue;
                var sum = 0.0;
                for (var i = 0; i < trial.Length; i++)
                {
                    var isNearer = d[i][candidate] < nearest[i];
                    trial[i] = isNearer ? medoids.Count : clusters[i];
                    sum += isNearer ? d[i][candidate] : nearest[i];
                }
                var score = Score(sum, trial, medoids.Count + 1);
                if (score > bestScore + Tie) (best, bestScore) = (candidate, score);
            }
            for (var i = 0; i < trial.Length; i++)
                if (d[i][best] < nearest[i]) (clusters[i], nearest[i]) = (medoids.Count, d[i][best]);
            medoids.Add(best);
        }
        return medoids;
    }

    private void Refine(List<int> medoids)
    {
        var score = Score(medoids);
        for (var round = 0; round < MostRefinements; round++)
        {
            var before = score;
            for (var cluster = 0; cluster < medoids.Count; cluster++)
            {
                foreach (var candidate in Members(Assign(medoids).Clusters, cluster))
                {
                    if (medoids.Contains(candidate)) continue;
                    var kept = medoids[cluster];
                    medoids[cluster] = candidate;
                    var changed = Score(medoids);
                    if (changed > score + Tie) score = changed;
                    else medoids[cluster] = kept;
                }
            }
            if (score <= before + Tie) return;
        }
    }

    private double Score(List<int> medoids)
    {
        var (nearest, clusters) = Assign(medoids);
        return Score(nearest.Select((medoid, i) => d[i][medoid]).Sum(), clusters, medoids.Count);
    }

    private double Score(double sumOfDistances, int[] clusters, int count) => (structure * DisagreementOf(clusters, count)) - (sumOfDistances / d.Length);

    private (int[] Nearest, int[] Clusters) Assign(List<int> medoids)
    {
        var (nearest, clusters) = (new int[d.Length], new int[d.Length]);
        for (var i = 0; i < d.Length; i++)
        {
            nearest[i] = medoids[0];
            for (var cluster = 1; cluster < medoids.Count; cluster++)
                if (d[i][medoids[cluster]] < d[i][nearest[i]]) (nearest[i], clusters[i]) = (medoids[cluster], cluster);
        }
        return (nearest, clusters);
    }

    /// <summary>1 - I / sqrt(H H'): 0 for the same partition, 1 where one of the two tells nothing of the other.</summary>
    private double DisagreementOf(int[] clusters, int count)
    {
        var cells = new int[count * classSizes.Length];
        var sizes = new int[count];
        for (var i = 0; i < clusters.Length; i++)
        {
            cells[(clusters[i] * classSizes.Length) + classes[i]]++;
            sizes[clusters[i]]++;
        }
        // With n log n summed over cells, rows and columns: N I = cells - rows - columns + N log N, and N H = N log N - rows.
        var all = Surprise(clusters.Length);
        var (joint, rows, columns) = (cells.Sum(Surprise), sizes.Sum(Surprise), classSizes.Sum(Surprise));
        var entropies = (all - rows) * (all - columns);
        return entropies <= 1e-12 ? (rows >= all && columns >= all ? 0 : 1) : 1 - Math.Clamp((joint - rows - columns + all) / Math.Sqrt(entropies), 0, 1);
    }

    private static double Surprise(int n) => n == 0 ? 0 : n * Math.Log(n);

    private static List<int> Members(int[] groups, int group) => [.. Enumerable.Range(0, groups.Length).Where(i => groups[i] == group)];
}
