using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

public sealed class TemperatureScalingTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Temperature_and_likelihood_are_those_of_scikit_learn_and_scipy(int index)
    {
        var golden = CalibrationGolden.Read("temperature", index);
        var (classes, logits, labels) = (golden.GetProperty("classes").GetInt32(), golden.Array<float>("logits"), golden.Array<int>("labels"));

        var temperature = TemperatureScaling.Fit(logits, classes, labels);

        temperature.ShouldBe(golden.Double("temperature"), 1e-6 * temperature);
        TemperatureScaling.NegativeLogLikelihood(logits, classes, labels, 1).ShouldBe(golden.Double("loss-before"), 1e-12);
        TemperatureScaling.NegativeLogLikelihood(logits, classes, labels, temperature).ShouldBe(golden.Double("loss-after"), 1e-12);
    }

    [Theory]
    [InlineData(0.001f)]
    [InlineData(1000f)]
    public void Logits_times_a_number_have_a_temperature_times_that_number(float scale)
    {
        var golden = CalibrationGolden.Read("temperature", 0);
        var (classes, logits, labels) = (golden.GetProperty("classes").GetInt32(), golden.Array<float>("logits"), golden.Array<int>("labels"));

        var temperature = TemperatureScaling.Fit([.. logits.Select(logit => scale * logit)], classes, labels);

        temperature.ShouldBe(scale * golden.Double("temperature"), 1e-5 * temperature);
    }

    [Fact]
    public void No_temperature_near_the_fitted_one_is_better()
    {
        var golden = CalibrationGolden.Read("temperature", 1);
        var (classes, logits, labels) = (golden.GetProperty("classes").GetInt32(), golden.Array<float>("logits"), golden.Array<int>("labels"));
        var temperature = TemperatureScaling.Fit(logits, classes, labels);

        var least = TemperatureScaling.NegativeLogLikelihood(logits, classes, labels, temperature);

        foreach (var factor in (double[])[0.5, 0.99, 1.01, 2])
            TemperatureScaling.NegativeLogLikelihood(logits, classes, labels, factor * temperature).ShouldBeGreaterThan(least);
    }

    [Fact]
    public void Temperatures_stay_finite_where_all_is_right_all_is_wrong_or_nothing_differs()
    {
        float[] logits = [3, 1, 0, 2];

        var right = TemperatureScaling.Fit(logits, 2, [0, 1]);
        right.ShouldBeInRange(2e-3, 0.1);
        TemperatureScaling.NegativeLogLikelihood(logits, 2, [0, 1], right).ShouldBe(0, 1e-15);
        TemperatureScaling.Fit(logits, 2, [1, 0]).ShouldBe(2000, 1);
        TemperatureScaling.Fit([5, 5, 7, 7], 2, [1, 0]).ShouldBe(1);
        TemperatureScaling.Fit([5, 7], 1, [0, 0]).ShouldBe(1);
    }

    [Fact]
    public void Predictions_are_the_largest_softmax_and_do_not_overflow()
    {
        var (confidence, right) = TemperatureScaling.Predict([1e30f, 0, 0, 1, 1, 0], 3, [0, 1], temperature: 1);

        confidence[0].ShouldBe(1);
        confidence[1].ShouldBe(Math.E / ((2 * Math.E) + 1), 1e-12);
        right.ShouldBe([true, false]);
    }

    [Fact]
    public void What_cannot_be_calibrated_is_refused()
    {
        Should.Throw<InvalidDataException>(() => TemperatureScaling.Fit([], 2, [])).Message.ShouldContain("nothing to calibrate");
        Should.Throw<InvalidDataException>(() => TemperatureScaling.Fit([1, float.PositiveInfinity], 2, [0])).Message.ShouldContain("not a finite");
        Should.Throw<ArgumentException>(() => TemperatureScaling.Fit([1, 2], 2, [2]));
        Should.Throw<ArgumentException>(() => TemperatureScaling.Fit([1, 2, 3], 2, [0]));
    }
}
