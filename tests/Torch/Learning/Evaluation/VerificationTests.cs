using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

public sealed class VerificationTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Rates_and_area_are_those_of_scikit_learns_curve(int index)
    {
        var golden = CalibrationGolden.Read("verification", index);
        var pairs = Pairs(index);

        Verification.Area(pairs).ShouldBe(golden.Double("area"), 1e-12);
        Verification.EqualError(pairs).Rate.ShouldBe(golden.Double("equal-error"), 1e-12);
        foreach (var point in golden.GetProperty("points").EnumerateArray())
        {
            var ours = Verification.ForFalseMatchRate(pairs, point.Double("rate"))!;
            ours.FalseMatchRate.ShouldBe(point.Double("false"), 1e-12);
            ours.TrueMatchRate.ShouldBe(point.Double("true"), 1e-12);
            Verification.At(pairs, ours.Threshold).ShouldBe(ours);
            // Ours is the lowest threshold with these rates, theirs the least similarity that it lets through.
            ours.Threshold.ShouldBeLessThanOrEqualTo(point.Double("threshold"));
            Verification.At(pairs, point.Double("threshold")).FalseMatchRate.ShouldBe(ours.FalseMatchRate, 1e-12);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Platt_scaling_is_scikit_learns_weighted_logistic_regression(int index)
    {
        var golden = CalibrationGolden.Read("verification", index);
        var pairs = Pairs(index);

        var calibration = PairCalibration.Fit(pairs);

        calibration.Slope.ShouldBe(golden.Double("slope"), 1e-6 * calibration.Slope);
        // Every similarity stands at the beginning of its cell and is taken at the middle.
        (calibration.Intercept + (calibration.Slope / PairSimilarities.Cells)).ShouldBe(golden.Double("intercept"), 1e-5);
        PairCalibration.NegativeLogLikelihood(pairs, calibration.Probability).ShouldBe(golden.Double("loss"), 1e-6);
    }

    [Fact]
    public void Pairs_that_a_threshold_parts_without_error_have_finite_probabilities()
    {
        var pairs = PairSimilarities.Of([0.9, 0.8, 0.1, -1, 1], [true, true, false, false, true]);

        var calibration = PairCalibration.Fit(pairs);

        calibration.Slope.ShouldBeInRange(1, 100);
        calibration.Probability(0.9).ShouldBeGreaterThan(0.7);
        calibration.Probability(0).ShouldBeLessThan(0.5);
        Verification.EqualError(pairs).Rate.ShouldBe(0);
        Verification.Area(pairs).ShouldBe(1);
        Verification.ForFalseMatchRate(pairs, 0.1).ShouldBeNull();
        Verification.ForFalseMatchRate(pairs, 0.5)!.TrueMatchRate.ShouldBe(1);
        Verification.At(pairs, 1.01).TrueMatchRate.ShouldBe(0);
    }

    [Fact]
    public void Equal_similarities_say_nothing()
    {
        var pairs = PairSimilarities.Of([0.5, 0.5, 0.5, 0.5], [true, true, false, false]);

        PairCalibration.Fit(pairs).Probability(0.5).ShouldBe(0.5, 1e-6);
        Verification.Area(pairs).ShouldBe(0.5);
        Verification.EqualError(pairs).Rate.ShouldBe(0.5);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Pairs_are_those_of_two_loops(bool roles, bool cameras)
    {
        var (points, labels) = Points.Clouds(5, noise: 1, seed: 12, 30, 20, 10, 5, 3, 2, 1, 1);
        var random = new CounterRandom(3, 0);
        var (role, camera) = (new ImageRole[labels.Length], new int[labels.Length]);
        for (var i = 0; i < labels.Length; i++) (role[i], camera[i]) = ((ImageRole)random.Below(4), random.Below(4) - 1);
        var protocol = roles || cameras ? new QueryGallery { Roles = roles ? role : null, Cameras = cameras ? camera : null } : null;

        // Tiles of a few rows and columns, so that pairs lie across their borders.
        var pairs = PairSimilarities.Of(new LabelledVectors(points, 5, labels), protocol, tileBytes: 600, CancellationToken.None);

        var (same, different) = (new long[PairSimilarities.Cells], new long[PairSimilarities.Cells]);
        for (var i = 0; i < labels.Length; i++)
        {
            for (var j = 0; j < labels.Length; j++)
            {
                if (i == j || (protocol is null && j < i)) continue;
                if (roles && (role[i] is not (ImageRole.Query or ImageRole.Both) || role[j] is not (ImageRole.Gallery or ImageRole.Both))) continue;
                if (cameras && labels[i] == labels[j] && camera[i] >= 0 && camera[i] == camera[j]) continue;
                (labels[i] == labels[j] ? same : different)[PairSimilarities.CellOf(Points.Dot(points, 5, i, j))]++;
            }
        }
        (pairs.SamePairs, pairs.DifferentPairs).ShouldBe((same.Sum(), different.Sum()));
        // A sum in fp32 may fall into the next cell.
        Largest(pairs.Same, same).ShouldBeLessThanOrEqualTo(1);
        Largest(pairs.Different, different).ShouldBeLessThanOrEqualTo(1);

        static long Largest(IReadOnlyList<long> ours, long[] theirs)
        {
            long sum = 0, largest = 0;
            for (var cell = 0; cell < theirs.Length; cell++) largest = Math.Max(largest, Math.Abs(sum += ours[cell] - theirs[cell]));
            return largest;
        }
    }

    private static PairSimilarities Pairs(int index)
    {
        var golden = CalibrationGolden.Read("verification", index);
        return PairSimilarities.Of(golden.Array<double>("similarities"), golden.Array<bool>("same"));
    }
}
