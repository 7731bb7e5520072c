using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

public sealed class DistanceRankingTests
{
    [Theory]
    [InlineData("recall@1", "map@r")]
    [InlineData("map", "mrr")]
    public void Vectors_of_any_length_are_ranked_by_their_distance(params string[] metrics)
    {
        // Lengths differ much, so that inner products would rank the longest first.
        var (directions, labels) = Points.Clouds(4, noise: 0.7f, seed: 3, 12, 9, 6, 4);
        float[] points = [.. directions.Select((value, i) => value * (1 + (i / 4 % 7)))];
        var options = new EvaluationOptions { Metrics = [.. metrics.Select(Metric.Parse)], ByDistance = true };

        var result = RetrievalMetrics.Compute(points, 4, labels, options, CancellationToken.None);

        var firsts = Enumerable.Range(0, labels.Length).Select(q =>
            (double)Array.FindIndex([.. Others(q).OrderBy(i => Distance(points, q, i))], i => labels[i] == labels[q])).ToArray();
        if (metrics.Contains("mrr")) result.Values["mrr"].ShouldBe(firsts.Average(rank => 1 / (rank + 1)), 1e-9);
        else result.Values["recall@1"].ShouldBe(firsts.Average(rank => rank == 0 ? 1 : 0), 1e-9);

        IEnumerable<int> Others(int query) => Enumerable.Range(0, labels.Length).Where(i => i != query);
    }

    [Fact]
    public void Few_shot_episodes_are_judged_by_distance_too()
    {
        // By inner product the long vector would win every query but its own class's.
        float[] points = [1, 0, 1.1f, 0, 9, 1, 9, 1.1f, 0, 2, 0, 2.1f];
        int[] labels = [0, 0, 1, 1, 2, 2];
        var options = new EvaluationOptions { Metrics = [Metric.Recall(1)], Episodes = [EpisodeSettings.Parse("3w1s")] };

        EmbeddingJudge.Judge(points, 2, labels, ["a", "b", "c"], options, CancellationToken.None).Result.Values["3w1s"].ShouldBeLessThan(0.7);
        EmbeddingJudge.Judge(points, 2, labels, ["a", "b", "c"], options with { ByDistance = true }, CancellationToken.None).Result.Values["3w1s"].ShouldBe(1);
    }

    [Fact]
    public void Re_ranking_is_for_cosines()
    {
        var options = new EvaluationOptions { ByDistance = true, ReRanking = new ReRanking() };

        Should.Throw<ArgumentException>(() => RetrievalMetrics.Compute([1, 2], 1, [1, 1], options, CancellationToken.None)).Message.ShouldContain("cosines");
    }

    private static double Distance(float[] points, int a, int b) => Enumerable.Range(0, 4).Sum(d => Math.Pow((double)points[(a * 4) + d] - points[(b * 4) + d], 2));
}
