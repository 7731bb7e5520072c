using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

public sealed class QueryGalleryTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_gallery_of_other_images_is_judged_as_by_pytorch_metric_learning(int index)
    {
        var golden = MetricsGolden.Read("split", index);
        var dimension = golden.GetProperty("dimension").GetInt32();
        var embeddings = Points.Unit(golden.Array<float>("embeddings"), dimension);
        var names = new[] { "precision@1", "r-precision", "map@r", "map", "mrr" };
        var options = new EvaluationOptions
        {
            Metrics = [.. names.Select(Metric.Parse)],
            Protocol = new QueryGallery { Roles = [.. golden.Array<bool>("query").Select(query => query ? ImageRole.Query : ImageRole.Gallery)] },
        };

        var result = RetrievalMetrics.Compute(embeddings, dimension, golden.Array<int>("labels"), options, CancellationToken.None);

        foreach (var name in names) result.Values[name].ShouldBe(golden.GetProperty(name).GetDouble(), 1e-6, name);
        result.GalleryImages.ShouldBe(golden.Array<bool>("query").Count(query => !query));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Roles_and_cameras_equal_a_naive_implementation(bool roles, bool cameras)
    {
        var (points, labels) = Points.Clouds(5, noise: 1, seed: 12, 30, 20, 10, 5, 3, 2, 1, 1);
        var random = new CounterRandom(3, 0);
        var (role, camera) = (new ImageRole[labels.Length], new int[labels.Length]);
        for (var i = 0; i < labels.Length; i++) (role[i], camera[i]) = ((ImageRole)random.Below(4), random.Below(4) - 1);
        var protocol = new QueryGallery { Roles = roles ? role : null, Cameras = cameras ? camera : null };
        var options = new EvaluationOptions { Metrics = NaiveRetrieval.Metrics, Protocol = protocol, TileBytes = 1000 };

        var result = RetrievalMetrics.Compute(points, 5, labels, options, CancellationToken.None);

        NaiveRetrieval.ShouldAgree(result, points, 5, labels, protocol, NaiveRetrieval.Metrics);
    }

    [Fact]
    public void A_query_of_market_1501_sees_its_person_only_through_other_cameras()
    {
        // By angle. The query: person 1, camera 1, at 0. Gallery: the same camera at 1 degree (hidden), a distractor at 2, the other camera at 3,
        // junk of the same person at 0.5, another person at 4, the person's third image, from camera 3, at 5.
        double[] degrees = [0, 1, 2, 3, 0.5, 4, 5];
        int[] labels = [1, 1, 0, 1, 1, 2, 1];
        var points = degrees.SelectMany(d => new[] { (float)Math.Cos(d * Math.PI / 180), (float)Math.Sin(d * Math.PI / 180) }).ToArray();
        var protocol = new QueryGallery
        {
            Roles = [ImageRole.Query, ImageRole.Gallery, ImageRole.Gallery, ImageRole.Gallery, ImageRole.Junk, ImageRole.Gallery, ImageRole.Gallery],
            Cameras = [1, 1, 5, 2, 2, 1, 3],
        };

        var result = RetrievalMetrics.Compute(
            points, 2, labels, new EvaluationOptions { Metrics = [.. new[] { "cmc@1", "cmc@2", "map" }.Select(Metric.Parse)], Protocol = protocol }, CancellationToken.None);

        // Seen: distractor, camera 2, another person, camera 3: hits at ranks 2 and 4.
        (result.Values["cmc@1"], result.Values["cmc@2"]).ShouldBe((0, 1));
        result.Values["map"].ShouldBe((0.5 + (2.0 / 4)) / 2, 1e-12);
        (result.Queries, result.ExcludedQueries).ShouldBe((1, 0));
    }

    [Fact]
    public void Roles_under_which_nothing_can_be_found_are_named_as_the_cause() =>
        Should.Throw<InvalidDataException>(() => RetrievalMetrics.Compute(
            [1, 0, 0, 1], 2, [0, 0], new EvaluationOptions { Protocol = new QueryGallery { Roles = [ImageRole.Query, ImageRole.Query] } }, CancellationToken.None))
            .Message.ShouldContain("check the roles");

    [Fact]
    public void Roles_must_be_as_many_as_images() =>
        Should.Throw<ArgumentException>(() => RetrievalMetrics.Compute(
            [1, 0, 0, 1], 2, [0, 0], new EvaluationOptions { Protocol = new QueryGallery { Roles = [ImageRole.Both] } }, CancellationToken.None))
            .Message.ShouldContain("2 images but 1 roles");
}
