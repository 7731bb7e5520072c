using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

public sealed class NeighbourGalleryTests
{
    [Fact]
    public void The_gallery_shows_the_worst_query_of_the_worst_classes_and_random_others()
    {
        var (points, labels) = Points.Clouds(3, noise: 0.8f, seed: 9, 6, 6, 6, 6, 6, 1);
        var scores = RetrievalMetrics.Compute(points, 3, labels, EvaluationOptions.Validation, CancellationToken.None).PerQuery;

        var gallery = NeighbourGallery.Choose(points, 3, labels, scores, worst: 3, random: 4, neighbours: 8, seed: 1, CancellationToken.None);

        (gallery.Worst.Count, gallery.Random.Count).ShouldBe((3, 4));
        gallery.Worst.Select(row => labels[row.Query]).ShouldBeUnique();
        scores.AveragePrecisionAtR[gallery.Worst[0].Query].ShouldBe(scores.AveragePrecisionAtR.Where(v => !double.IsNaN(v)).Min());
        gallery.Random.Select(row => row.Query).Intersect(gallery.Worst.Select(row => row.Query)).ShouldBeEmpty();
        foreach (var row in gallery.Worst.Concat(gallery.Random))
        {
            scores.FirstHit[row.Query].ShouldBeGreaterThanOrEqualTo(0, "a query with nothing to find is not shown");
            row.Neighbours.ShouldBe(NearestNeighbours.TopK(points[(row.Query * 3)..((row.Query * 3) + 3)], points, 3, 9, excludeSelf: false, CancellationToken.None)
                .Index.Where(i => i != row.Query).Take(8));
            row.Similarity.ShouldBeInOrder(SortDirection.Descending);
        }
    }
}
