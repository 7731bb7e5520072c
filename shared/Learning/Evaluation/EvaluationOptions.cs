namespace DmlPipeline.Learning.Evaluation;

/// <summary>How embeddings are judged.</summary>
public sealed record EvaluationOptions
{
    /// <summary>Recall@1, R-precision and MAP@R only: what training looks at after an epoch.</summary>
    public static EvaluationOptions Validation { get; } = new() { RecallAt = [1], Nmi = false, Baselines = false };

    /// <summary>The k of recall@k.</summary>
    public IReadOnlyList<int> RecallAt { get; init; } = [1, 2, 4, 8];

    /// <summary>Whether to cluster for NMI, which costs more than all else together.</summary>
    public bool Nmi { get; init; } = true;

    public KMeansSettings KMeans { get; init; } = new();

    /// <summary>Whether to judge raw pixels and the untrained network as well: what the trained one has to beat.</summary>
    public bool Baselines { get; init; } = true;

    /// <summary>The seed of the untrained network; the run's own, so that it is the network that training started from.</summary>
    public long Seed { get; init; }

    /// <summary>Images per forward pass.</summary>
    public int BatchSize { get; init; } = 256;

    /// <summary>Memory for one tile of similarities.</summary>
    public long TileBytes { get; init; } = NearestNeighbours.DefaultTileBytes;
}

/// <summary>The clustering behind NMI, kept with its result because NMI depends on it.</summary>
public sealed record KMeansSettings
{
    /// <summary>k; 0 stands for the number of classes.</summary>
    public int Clusters { get; init; }

    /// <summary>How the first centres are found; there is one way.</summary>
    public string Seeding { get; } = "greedy k-means++";

    /// <summary>Independent starts, of which the one with the least inertia counts.</summary>
    public int Runs { get; init; } = 1;

    /// <summary>Lloyd iterations per start at most.</summary>
    public int MaxIterations { get; init; } = 100;

    /// <summary>Stops when the centres' summed squared shift is at most this times the mean variance of the features.</summary>
    public double Tolerance { get; init; } = 1e-4;

    public long Seed { get; init; }
}
