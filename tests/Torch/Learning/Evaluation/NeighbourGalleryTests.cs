using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

public sealed class NeighbourGalleryTests
{
    [Fact]
    public void The_gallery_shows_the_worst_query_of_the_worst_classes_and_random_others()
    {
        var (points, labels) = Points.Clouds(3, noise: 0.8f, seed: 9, 6, 6, 6, 6, 6, 1);
        var scores = RetrievalMetrics.Compute(points, 3, labels, EvaluationOptions.Validation, CancellationToken.None).PerQuery;

        var gallery = NeighbourGallery.Choose(points, 3, labels, protocol: null, scores, worst: 3, random: 4, neighbours: 8, seed: 1, CancellationToken.None);

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

    [Fact]
    public void A_query_is_shown_only_what_its_protocol_lets_it_see()
    {
        var (points, labels) = Points.Clouds(3, noise: 0.5f, seed: 4, 8, 8, 8);
        var protocol = new QueryGallery
        {
            Roles = [.. labels.Select((_, i) => i % 4 == 0 ? ImageRole.Query : i % 4 == 1 ? ImageRole.Both : i % 8 == 7 ? ImageRole.Junk : ImageRole.Gallery)],
            Cameras = [.. labels.Select((_, i) => i % 3)],
        };
        var scores = RetrievalMetrics.Compute(points, 3, labels, EvaluationOptions.Validation with { Protocol = protocol }, CancellationToken.None).PerQuery;

        var gallery = NeighbourGallery.Choose(points, 3, labels, protocol, scores, worst: 3, random: 6, neighbours: 5, seed: 1, CancellationToken.None);

        gallery.Worst.Count.ShouldBe(3);
        gallery.Random.Count.ShouldBeGreaterThan(3);
        foreach (var row in gallery.Worst.Concat(gallery.Random))
        {
            protocol.Roles[row.Query].ShouldBeOneOf(ImageRole.Query, ImageRole.Both);
            row.Neighbours.ShouldBe(Enumerable.Range(0, labels.Length)
                .Where(i => i != row.Query && protocol.Roles[i] is ImageRole.Gallery or ImageRole.Both)
                .Where(i => labels[i] != labels[row.Query] || protocol.Cameras[i] != protocol.Cameras[row.Query])
                .OrderByDescending(i => Enumerable.Range(0, 3).Sum(d => points[(i * 3) + d] * points[(row.Query * 3) + d])).Take(5));
        }
    }
}
