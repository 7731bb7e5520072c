using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

public sealed class ReliabilityTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Bins_of_equal_width_are_scikit_learns_calibration_curve(int index)
    {
        var golden = CalibrationGolden.Read("reliability", index);

        var bins = Reliability.EqualWidth(golden.Array<double>("probabilities"), golden.Array<bool>("outcomes"), golden.GetProperty("bins").GetInt32());

        bins.Select(bin => bin.Frequency).ShouldBe(golden.Array<double>("frequency"), 1e-12);
        bins.Select(bin => bin.Confidence).ShouldBe(golden.Array<double>("confidence"), 1e-12);
        bins.Select(bin => bin.Share).ShouldBe(golden.Array<double>("share"), 1e-12);
        Reliability.ExpectedError(bins).ShouldBe(golden.Double("ece"), 1e-12);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Bins_of_equal_mass_are_equal_parts_of_the_sorted_predictions(int index)
    {
        var golden = CalibrationGolden.Read("reliability", index);
        var count = golden.GetProperty("bins").GetInt32();

        var bins = Reliability.EqualMass(golden.Array<double>("distinct"), golden.Array<bool>("came"), count);

        bins.Count.ShouldBe(count);
        bins.ShouldAllBe(bin => Math.Abs(bin.Share - (1.0 / count)) < 1e-12);
        Reliability.ExpectedError(bins).ShouldBe(golden.Double("adaptive"), 1e-12);
    }

    [Fact]
    public void Equal_predictions_stay_in_one_bin_of_equal_mass_in_whatever_order_they_come()
    {
        double[] probabilities = [0.2, 0.7, 0.2, 0.2, 0.9, 0.2];
        bool[] outcomes = [true, true, false, false, true, false];

        var bins = Reliability.EqualMass(probabilities, outcomes, bins: 3);
        var turned = Reliability.EqualMass([.. probabilities.Reverse()], [.. outcomes.Reverse()], bins: 3);

        bins.Select(bin => Math.Round(bin.Share, 6)).ShouldBe([0.666667, 0.166667, 0.166667]);
        bins[0].Frequency.ShouldBe(0.25);
        turned.Select(bin => bin.Frequency).ShouldBe(bins.Select(bin => bin.Frequency));
    }

    [Fact]
    public void Errors_of_a_forecast_by_hand()
    {
        // Bin (0, 0.5]: sure of 0.3 twice, once right. Bin (0.5, 1]: sure of 0.8 and 1, both right.
        var bins = Reliability.EqualWidth([0.3, 0.3, 0.8, 1], [true, false, true, true], bins: 2);

        Reliability.ExpectedError(bins).ShouldBe((0.5 * 0.2) + (0.5 * 0.1), 1e-12);
        Reliability.MaximumError(bins).ShouldBe(0.2, 1e-12);
        (bins[0].Low, bins[0].High, bins[1].High).ShouldBe((0, 0.5, 1));
        Reliability.ExpectedError(Reliability.EqualWidth([], [])).ShouldBe(0);
        Reliability.MaximumError([]).ShouldBe(0);
    }
}
