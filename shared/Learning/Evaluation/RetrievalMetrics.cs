namespace DmlPipeline.Learning.Evaluation;

/// <summary>Leave-one-out retrieval: every image is a query among all the others, and those of its class are relevant.</summary>
/// <remarks>
/// R is the number of relevant images of a query. recall@k: a relevant image is among the first k. precision@1: the first is relevant (the same as
/// recall@1). R-precision: the share of relevant ones among the first R. MAP@R = mean of (1/R) sum over i = 1..R of P(i) rel(i)
/// (Musgrave, Belongie and Lim 2020). Queries with R = 0 are left out and counted.
/// </remarks>
public static class RetrievalMetrics
{
    /// <summary>Judges embeddings of unit length, [N, D] row-major.</summary>
    /// <exception cref="InvalidDataException">The embeddings hold NaN or infinity, or no class has two images.</exception>
    public static RetrievalResult Compute(float[] embeddings, int dimension, int[] labels, EvaluationOptions options, CancellationToken cancel)
    {
        if (dimension < 1 || embeddings.Length != (long)labels.Length * dimension)
            throw new ArgumentException($"{labels.Length} images of dimension {dimension} need {(long)labels.Length * dimension} values, not {embeddings.Length}.");
        if (options.RecallAt.Count == 0 || options.RecallAt.Any(at => at < 1))
            throw new ArgumentException("recall@k needs at least one k, and every k at least 1.");
        CheckFinite(embeddings, dimension);
        var relevant = CountRelevant(labels);
        var most = relevant.Max();
        if (most == 0)
            throw new InvalidDataException($"None of the {labels.Length} images shares its class with another: there is nothing to retrieve. Give classes at least two images.");

        var k = Math.Min(labels.Length - 1, Math.Max(most, options.RecallAt.Max()));
        var scores = new QueryScores(labels.Length);
        NearestNeighbours.Visit(embeddings, embeddings, dimension, k, excludeSelf: true, options.TileBytes,
            (query, _, neighbours) => Score(query, neighbours, labels, relevant[query], scores), cancel);

        var values = Average(scores, options.RecallAt);
        KMeansSettings? settings = null;
        if (options.Nmi)
        {
            settings = options.KMeans.Clusters > 0 ? options.KMeans : options.KMeans with { Clusters = labels.Distinct().Count() };
            values["nmi"] = NormalisedMutualInformation.Compute(labels, KMeans.Cluster(embeddings, dimension, settings, cancel).Labels);
        }
        var queries = relevant.Count(r => r > 0);
        return new RetrievalResult(values, queries, labels.Length - queries, settings, scores);
    }

    private static int[] CountRelevant(int[] labels)
    {
        var sizes = labels.CountBy(label => label).ToDictionary();
        return [.. labels.Select(label => sizes[label] - 1)];
    }

    private static void Score(int query, ReadOnlySpan<int> neighbours, int[] labels, int relevant, QueryScores scores)
    {
        if (relevant == 0) return;
        int hits = 0, hitsWithinR = 0, first = 0;
        double precisions = 0;
        for (var i = 0; i < neighbours.Length && (i < relevant || first == 0); i++)
        {
            if (labels[neighbours[i]] != labels[query]) continue;
            hits++;
            if (first == 0) first = i + 1;
            if (i >= relevant) continue;
            hitsWithinR++;
            precisions += (double)hits / (i + 1);
        }
        scores.FirstHit[query] = first;
        scores.RPrecision[query] = (double)hitsWithinR / relevant;
        scores.AveragePrecisionAtR[query] = precisions / relevant;
    }

    private static Dictionary<string, double> Average(QueryScores scores, IReadOnlyList<int> recallAt)
    {
        var judged = Enumerable.Range(0, scores.FirstHit.Length).Where(q => scores.FirstHit[q] >= 0).ToArray();
        var values = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var k in recallAt) values[$"recall@{k}"] = Share(k);
        values["precision@1"] = Share(1);
        values["r-precision"] = judged.Average(q => scores.RPrecision[q]);
        values["map@r"] = judged.Average(q => scores.AveragePrecisionAtR[q]);
        return values;

        double Share(int k) => (double)judged.Count(q => scores.FirstHit[q] >= 1 && scores.FirstHit[q] <= k) / judged.Length;
    }

    private static void CheckFinite(float[] embeddings, int dimension)
    {
        for (var i = 0; i < embeddings.Length; i++)
        {
            if (!float.IsFinite(embeddings[i]))
                throw new InvalidDataException($"The embedding of image {i / dimension} holds {embeddings[i]}: the model has diverged. Train it with a lower learning rate.");
        }
    }
}

/// <summary>The averages by name ("recall@1", …, "map@r", "nmi") and what they rest on.</summary>
public sealed record RetrievalResult(
    IReadOnlyDictionary<string, double> Values, int Queries, int ExcludedQueries, KMeansSettings? KMeans, QueryScores PerQuery)
{
    /// <summary>Precision@1, which is recall@1 whatever other k were asked for.</summary>
    public double Recall1 => Values["precision@1"];

    public double MapAtR => Values["map@r"];
}

/// <summary>What each query scored, by image; excluded queries have FirstHit -1 and NaN scores.</summary>
public sealed class QueryScores
{
    internal QueryScores(int images)
    {
        (FirstHit, RPrecision, AveragePrecisionAtR) = (new int[images], new double[images], new double[images]);
        Array.Fill(FirstHit, -1);
        Array.Fill(RPrecision, double.NaN);
        Array.Fill(AveragePrecisionAtR, double.NaN);
    }

    /// <summary>The rank, from 1, of the first relevant neighbour; 0 where none was within reach.</summary>
    public int[] FirstHit { get; }

    public double[] RPrecision { get; }

    public double[] AveragePrecisionAtR { get; }
}
