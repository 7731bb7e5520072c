namespace DmlPipeline.Learning.Evaluation;

/// <summary>How embeddings are judged.</summary>
public sealed record EvaluationOptions
{
    /// <summary>Recall@1, R-precision and MAP@R only: what training looks at after an epoch.</summary>
    public static EvaluationOptions Validation { get; } = new()
    {
        Metrics = [Metric.Recall(1), new(MetricKind.RPrecision), new(MetricKind.MapAtR)], Baselines = false,
    };

    /// <summary>What is measured, in the order of the report. Clustering costs more than all else together.</summary>
    public IReadOnlyList<Metric> Metrics { get; init; } = Metric.Default;

    /// <summary>Who looks through what; null makes every image a query among all the others.</summary>
    public QueryGallery? Protocol { get; init; }

    /// <summary>
    /// Ranks by Euclidean distance, for embeddings whose length means something, such as those of KISSME; otherwise by inner product, which for vectors of
    /// unit length is the same. Not together with re-ranking and averaging, which are defined for cosines.
    /// </summary>
    public bool ByDistance { get; init; }

    /// <summary>Ranks again by reciprocal neighbours; not together with the two averagings, which change the ranking as well.</summary>
    public ReRanking? ReRanking { get; init; }

    /// <summary>Averages queries with what they find first (AQE, αQE).</summary>
    public NeighbourAveraging? QueryExpansion { get; init; }

    /// <summary>Averages gallery images with their neighbours (DBA), before queries are expanded.</summary>
    public NeighbourAveraging? DatabaseAugmentation { get; init; }

    /// <summary>Confidence intervals by bootstrap; null for none.</summary>
    public IntervalSettings? Intervals { get; init; }

    /// <summary>Few-shot episodes to judge as well.</summary>
    public IReadOnlyList<EpisodeSettings> Episodes { get; init; } = [];

    /// <summary>Whether the report holds the values of every class.</summary>
    public bool PerClass { get; init; }

    public KMeansSettings KMeans { get; init; } = new();

    /// <summary>Whether to judge raw pixels and the untrained network as well: what the trained one has to beat.</summary>
    public bool Baselines { get; init; } = true;

    /// <summary>The seed of the untrained network; the run's own, so that it is the network that training started from.</summary>
    public long Seed { get; init; }

    /// <summary>Images per forward pass.</summary>
    public int BatchSize { get; init; } = 256;

    /// <summary>Memory for one tile of similarities.</summary>
    public long TileBytes { get; init; } = NearestNeighbours.DefaultTileBytes;

    internal void Check()
    {
        if (Metrics.Count == 0) throw new ArgumentException("There is nothing to measure: ask for at least one metric.");
        if (ReRanking is not null && (QueryExpansion is not null || DatabaseAugmentation is not null))
            throw new ArgumentException("Re-ranking cannot be combined with query expansion or database augmentation: choose one of them.");
        if (ByDistance && (ReRanking is not null || QueryExpansion is not null || DatabaseAugmentation is not null))
            throw new ArgumentException("Re-ranking, query expansion and database augmentation are defined for cosines: they cannot be combined with a ranking by distance.");
    }
}

/// <summary>The clustering behind NMI, AMI, purity and F1, kept with its result because they depend on it.</summary>
public sealed record KMeansSettings
{
    /// <summary>k; 0 stands for the number of classes.</summary>
    public int Clusters { get; init; }

    /// <summary>How the first centres are found; there is one way.</summary>
    public string Seeding { get; } = "greedy k-means++";

    /// <summary>The mean of the two entropies that NMI and AMI divide by; there is one way, scikit-learn's.</summary>
    public string Normalisation { get; } = "arithmetic";

    /// <summary>Independent starts, of which the one with the least inertia counts.</summary>
    public int Runs { get; init; } = 1;

    /// <summary>Lloyd iterations per start at most.</summary>
    public int MaxIterations { get; init; } = 100;

    /// <summary>Stops when the centres' summed squared shift is at most this times the mean variance of the features.</summary>
    public double Tolerance { get; init; } = 1e-4;

    public long Seed { get; init; }
}
