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
    /// <param name="protocol">Who looks through what: only what a query may see is shown beside it. Null for all.</param>
    /// <param name="scores">How each query did, by the same protocol.</param>
    /// <param name="worst">How many of the worst.</param>
    /// <param name="random">How many at random.</param>
    /// <param name="neighbours">Neighbours per query.</param>
    /// <param name="seed">Which ones chance picks.</param>
    /// <param name="cancel">Stops the search for neighbours.</param>
    public static NeighbourGallery Choose(
        float[] embeddings, int dimension, int[] labels, QueryGallery? protocol, QueryScores scores, int worst, int random, int neighbours, long seed, CancellationToken cancel)
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

        var task = new RetrievalTask(labels, protocol);
        var gallery = task.Gallery.Length == labels.Length ? embeddings : Vectors(task.Gallery);
        return new NeighbourGallery(Rows(failures), Rows(picked));

        GalleryRow[] Rows(int[] images)
        {
            if (images.Length == 0) return [];
            int[] queries = [.. images.Select(image => Array.BinarySearch(task.Queries, image))];
            // As many more than wanted as a query may have to pass over: itself, and its class from its own camera.
            var hidden = queries.Max(query => task.SameClass(query).Length - task.Relevant[query]);
            var k = Math.Min(neighbours + hidden, task.Gallery.Length);
            var found = NearestNeighbours.TopK(Vectors(images), gallery, dimension, k, excludeSelf: false, cancel);
            return [.. queries.Select((query, i) =>
            {
                var kept = Enumerable.Range(i * k, k).Where(at => IsVisible(query, found.Index[at])).Take(neighbours).ToArray();
                return new GalleryRow(images[i], [.. kept.Select(at => task.Gallery[found.Index[at]])], [.. kept.Select(at => found.Similarity[at])]);
            })];
        }

        bool IsVisible(int query, int place) => labels[task.Gallery[place]] != task.LabelOf(query) || !task.IsHidden(query, place);

        float[] Vectors(int[] images)
        {
            var vectors = new float[images.Length * dimension];
            for (var i = 0; i < images.Length; i++) embeddings.AsSpan(images[i] * dimension, dimension).CopyTo(vectors.AsSpan(i * dimension));
            return vectors;
        }
    }
}
