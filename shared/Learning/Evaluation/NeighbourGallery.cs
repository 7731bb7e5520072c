using DmlPipeline.Learning.Data;

namespace DmlPipeline.Learning.Evaluation;

/// <summary>A query with its nearest neighbours, as indexes of images.</summary>
public sealed record GalleryRow(int Query, int[] Neighbours, float[] Similarity);

/// <summary>Chooses what a report shows: the queries that went worst, at most one per class, and some at random.</summary>
public sealed record NeighbourGallery(IReadOnlyList<GalleryRow> Worst, IReadOnlyList<GalleryRow> Random)
{
    /// <param name="embeddings">[N, D], row-major.</param>
    /// <param name="dimension">D.</param>
    /// <param name="labels">[N].</param>
    /// <param name="scores">How each query did.</param>
    /// <param name="worst">How many of the worst.</param>
    /// <param name="random">How many at random.</param>
    /// <param name="neighbours">Neighbours per query.</param>
    /// <param name="seed">Which ones chance picks.</param>
    /// <param name="cancel">Stops the search for neighbours.</param>
    public static NeighbourGallery Choose(
        float[] embeddings, int dimension, int[] labels, QueryScores scores, int worst, int random, int neighbours, long seed, CancellationToken cancel)
    {
        var judged = Enumerable.Range(0, labels.Length).Where(q => scores.FirstHit[q] >= 0).ToArray();
        // Among equals, the one whose first hit comes latest; none within reach is later still.
        var failures = judged
            .OrderBy(q => scores.AveragePrecisionAtR[q])
            .ThenByDescending(q => scores.FirstHit[q] == 0 ? int.MaxValue : scores.FirstHit[q])
            .ThenBy(q => q)
            .DistinctBy(q => labels[q]).Take(worst).ToArray();
        new CounterRandom(seed, 0).Shuffle<int>(judged);
        var picked = judged.Except(failures).Take(random).Order().ToArray();

        var k = Math.Min(neighbours, labels.Length - 1);
        return new NeighbourGallery(Rows(failures), Rows(picked));

        GalleryRow[] Rows(int[] queries)
        {
            var vectors = new float[queries.Length * dimension];
            for (var i = 0; i < queries.Length; i++) embeddings.AsSpan(queries[i] * dimension, dimension).CopyTo(vectors.AsSpan(i * dimension));
            // One neighbour more than wanted: the query itself is among them unless twins took its place.
            var found = NearestNeighbours.TopK(vectors, embeddings, dimension, k + 1, excludeSelf: false, cancel);
            return [.. queries.Select((query, i) =>
            {
                var kept = Enumerable.Range(i * (k + 1), k + 1).Where(at => found.Index[at] != query).Take(k).ToArray();
                return new GalleryRow(query, [.. kept.Select(at => found.Index[at])], [.. kept.Select(at => found.Similarity[at])]);
            })];
        }
    }
}
