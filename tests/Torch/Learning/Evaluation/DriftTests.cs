using DmlPipeline.Learning.Baselines;
using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Evaluation.Drift;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

public class DriftTests
{
    private const int D = 8;

    [Fact]
    public void Mmd_is_that_of_its_definition()
    {
        var (points, labels, isNew) = Classes(seed: 3, old: 4, fresh: 3, perClass: 5, shift: 0.5);
        var n = labels.Length;
        double Square(int a, int b) => Enumerable.Range(0, D).Sum(d => Math.Pow(points[(a * D) + d] - points[(b * D) + d], 2));
        var pairs = Enumerable.Range(0, n).SelectMany(a => Enumerable.Range(a + 1, n - a - 1).Select(b => Square(a, b))).Order().ToList();
        double Kernel(int a, int b) => Math.Exp(-Square(a, b) / (2 * pairs[pairs.Count / 2]));
        double Mean(Func<int, bool> left, Func<int, bool> right) =>
            Enumerable.Range(0, n).Where(left).SelectMany(a => Enumerable.Range(0, n).Where(b => b != a && right(b)).Select(b => Kernel(a, b))).Average();

        var expected = Mean(i => isNew[i], i => isNew[i]) + Mean(i => !isNew[i], i => !isNew[i]) - (2 * Mean(i => isNew[i], i => !isNew[i]));

        DriftReport.Of(points, D, labels, isNew, 0.1, default).Mmd.Statistic.ShouldBe(expected, 1e-6);
    }

    [Fact]
    public void Frechet_distance_of_known_gaussians_is_the_known_one()
    {
        // Diagonal covariances: |difference of means|² + sum of (s1 - s2)².
        var first = new DenseMatrix(2, 2, [4, 0, 0, 1]);
        var second = new DenseMatrix(2, 2, [1, 0, 0, 9]);

        FrechetDistance.Between([0, 0], first, [3, 4], second).ShouldBe(25 + 1 + 4, 1e-9);
        FrechetDistance.Between([1, 2], first, [1, 2], first).ShouldBe(0, 1e-9);
        // One that turns: [[2, 1], [1, 2]] has the roots sqrt 3 and 1; beside the unit matrix tr(A + I - 2 sqrt A) = 4 + 2 - 2 (sqrt 3 + 1).
        FrechetDistance.Between([0, 0], new DenseMatrix(2, 2, [2, 1, 1, 2]), [0, 0], new DenseMatrix(2, 2, [1, 0, 0, 1])).ShouldBe(6 - (2 * (Math.Sqrt(3) + 1)), 1e-9);
    }

    [Fact]
    public void Moments_are_those_of_the_rows_that_count()
    {
        var (mean, covariance) = FrechetDistance.Moments(new DenseMatrix(4, 2, [1, 2, 100, 100, 3, 6, 5, 1]), row => row != 1);

        mean.ShouldBe([3, 3]);
        covariance.Values.ShouldBe([4, -1, -1, 7], 1e-12);
    }

    [Fact]
    public void Recall_drop_compares_classes_and_counts_only_queries_that_have_a_partner()
    {
        // On a circle: two old classes, tight; two new ones, mixed up with each other; one image without a partner.
        double[] angles = [0, 1, 90, 91, 180, 184, 182, 186, 300];
        int[] labels = [0, 0, 1, 1, 2, 2, 3, 3, 4];
        var isNew = labels.Select(label => label >= 2).ToArray();
        var points = angles.SelectMany(angle => new[] { (float)Math.Cos(angle * Math.PI / 180), (float)Math.Sin(angle * Math.PI / 180) }).ToArray();

        var recall = DriftReport.Of(points, 2, labels, isNew, 0.1, default).Recall.ShouldNotBeNull();

        (recall.Reference, recall.New).ShouldBe((1, 0));
        recall.IsBelow(0.5).ShouldBeTrue();
        recall.IsBelow(1).ShouldBeFalse();
    }

    /// <summary>Images of a class resemble each other, and there are new classes: exchanged image by image, a quarter of these would be alarms.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Without_a_drift_alarms_are_as_rare_as_alpha_says(int mixedClasses)
    {
        const double alpha = 0.05;
        const int trials = 150;

        var alarms = Enumerable.Range(0, trials).Select(trial =>
        {
            var (points, labels, isNew) = Classes(seed: 1000 + trial, old: 10, fresh: 6, perClass: 4, shift: 0, mixedClasses);
            var report = DriftReport.Of(points, D, labels, isNew, alpha, default);
            return (Mmd: report.Mmd.IsDrift, Frechet: report.Frechet.IsDrift);
        }).ToList();

        // Five standard errors above what is promised.
        var most = alpha + (5 * Math.Sqrt(alpha * (1 - alpha) / trials));
        (alarms.Count(alarm => alarm.Mmd) / (double)trials).ShouldBeLessThan(most);
        (alarms.Count(alarm => alarm.Frechet) / (double)trials).ShouldBeLessThan(most);
    }

    [Fact]
    public void A_shift_of_all_new_images_is_found()
    {
        var found = Enumerable.Range(0, 20).Count(trial =>
        {
            var (points, labels, isNew) = Classes(seed: trial, old: 16, fresh: 12, perClass: 4, shift: 3);
            var report = DriftReport.Of(points, D, labels, isNew, 0.01, default);
            return report.Mmd.IsDrift && report.Frechet.IsDrift;
        });

        found.ShouldBeGreaterThanOrEqualTo(18);
    }

    [Fact]
    public void Exchanges_keep_images_of_a_class_together_where_the_class_is_on_one_side()
    {
        int[] labels = [0, 0, 0, 1, 1, 2, 2, 3, 3, 3];
        bool[] isNew = [false, false, true, true, true, false, false, false, false, false];
        var units = new PermutationTest.Units(isNew, labels);

        var seen = Enumerable.Range(0, 200).Select(draw => units.Exchange(new CounterRandom(1, draw))).ToList();

        seen.ShouldAllBe(sides => sides.Take(3).Count(side => side) == 1);
        seen.ShouldAllBe(sides => sides[3] == sides[4] && sides[5] == sides[6] && sides[7] == sides[8] && sides[8] == sides[9]);
        seen.ShouldAllBe(sides => new[] { sides[3], sides[5], sides[7] }.Count(side => side) == 1);
        seen.Select(sides => string.Concat(sides.Select(side => side ? 1 : 0))).Distinct().Count().ShouldBe(9);
    }

    /// <summary>Points of unit length around the centres of their classes, which are drawn from one population, old or new; new images moved by the shift.</summary>
    private static (float[] Points, int[] Labels, bool[] IsNew) Classes(int seed, int old, int fresh, int perClass, double shift, int mixed = 0)
    {
        var random = new Random(seed);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        var (points, labels, isNew) = (new List<float>(), new List<int>(), new List<bool>());
        for (var label = 0; label < old + fresh; label++)
        {
            var centre = Enumerable.Range(0, D).Select(_ => Normal()).ToArray();
            for (var i = 0; i < perClass; i++)
            {
                var side = label < mixed ? i % 2 == 1 : label >= old;
                var point = centre.Select((value, d) => value + (0.5 * Normal()) + (side && d == 0 ? shift : 0)).ToArray();
                var length = Math.Sqrt(point.Sum(value => value * value));
                points.AddRange(point.Select(value => (float)(value / length)));
                labels.Add(label);
                isNew.Add(side);
            }
        }
        return ([.. points], [.. labels], [.. isNew]);
    }
}
