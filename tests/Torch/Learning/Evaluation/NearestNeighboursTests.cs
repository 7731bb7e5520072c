using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

public sealed class NearestNeighboursTests
{
    [Theory]
    [InlineData(1, 1, 4, 1)]
    [InlineData(7, 23, 3, 5)]
    [InlineData(40, 100, 16, 100)]
    [InlineData(100, 300, 8, 37)]
    public void Neighbours_equal_a_full_sort_with_ties_by_index(int queries, int images, int dimension, int k)
    {
        var gallery = Points.Whole(images, dimension, most: 2, seed: 3);
        var asked = Points.Whole(queries, dimension, most: 2, seed: 4);

        var found = NearestNeighbours.TopK(asked, gallery, dimension, k, excludeSelf: false, CancellationToken.None);

        for (var q = 0; q < queries; q++)
        {
            var expected = Enumerable.Range(0, images)
                .Select(i => (Index: i, Similarity: Enumerable.Range(0, dimension).Sum(d => asked[(q * dimension) + d] * gallery[(i * dimension) + d])))
                .OrderByDescending(x => x.Similarity).ThenBy(x => x.Index).Take(k).ToArray();
            found.Index.AsSpan(q * k, k).ToArray().ShouldBe(expected.Select(x => x.Index));
            found.Similarity.AsSpan(q * k, k).ToArray().ShouldBe(expected.Select(x => x.Similarity));
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(1000)]
    [InlineData(40_000)]
    public void Tiles_of_any_size_give_what_one_tile_gives(long tileBytes)
    {
        var points = Points.Whole(211, 9, most: 1, seed: 5);

        Collect(points, tileBytes).ShouldBe(Collect(points, 1 << 24));

        static int[] Collect(float[] points, long bytes)
        {
            var index = new int[211 * 20];
            NearestNeighbours.Visit(points, points, 9, 20, excludeSelf: true, bytes, (q, _, at) => at.CopyTo(index.AsSpan(q * 20)), CancellationToken.None);
            return index;
        }
    }

    [Fact]
    public void A_query_does_not_find_itself_but_finds_its_twin()
    {
        float[] points = [1, 0, 1, 0, 0, 1];

        var found = NearestNeighbours.TopK(points, points, 2, 2, excludeSelf: true, CancellationToken.None);

        found.Index.ShouldBe([1, 2, 0, 2, 0, 1]);
        found.Similarity.ShouldBe([1f, 0, 1, 0, 0, 0]);
    }

    [Fact]
    public void More_neighbours_than_there_are_is_refused()
    {
        float[] points = [1, 0, 1, 0, 0, 1];

        Should.Throw<ArgumentOutOfRangeException>(() => NearestNeighbours.TopK(points, points, 2, 3, excludeSelf: true, CancellationToken.None))
            .Message.ShouldContain("ask for 1 to 2");
    }

    [Fact]
    public void The_search_stops_when_it_is_cancelled() => Should.Throw<OperationCanceledException>(() =>
        NearestNeighbours.TopK([1, 2], [1, 2], 2, 1, excludeSelf: false, new CancellationToken(canceled: true)));
}
