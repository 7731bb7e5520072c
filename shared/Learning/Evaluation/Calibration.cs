namespace DmlPipeline.Learning.Evaluation;

/// <summary>Makes probabilities and thresholds out of similarities on some classes, and judges them on others.</summary>
public static class Calibration
{
    /// <summary>The rates that thresholds are given for.</summary>
    public static IReadOnlyList<double> FalseMatchRates { get; } = [1e-1, 1e-2, 1e-3, 1e-4];

    /// <param name="fitted">Embeddings of unit length of classes that are not judged: a model's validation classes.</param>
    /// <param name="judged">Embeddings of the test classes.</param>
    /// <param name="protocol">Roles and cameras of the judged images; null for every image among all the others.</param>
    /// <param name="tileBytes">Memory for one tile of similarities.</param>
    /// <param name="cancel">Stops between tiles.</param>
    /// <exception cref="InvalidDataException">One of the two has no pair of one class or none of two, or an embedding is not finite.</exception>
    public static CalibrationReport Measure(LabelledVectors fitted, LabelledVectors judged, QueryGallery? protocol, long tileBytes, CancellationToken cancel)
    {
        var known = PairSimilarities.Of(fitted, protocol: null, tileBytes, cancel);
        var pairs = PairSimilarities.Of(judged, protocol, tileBytes, cancel);
        var calibration = PairCalibration.Fit(known);
        var posterior = ClassPosterior.Of(fitted, protocol: null, tileBytes, cancel);
        var temperature = TemperatureScaling.Fit(posterior.Logits, posterior.Classes, posterior.Labels);
        return new CalibrationReport(
            fitted.Count, fitted.Labels.Distinct().Count(), OfPairs(calibration, pairs),
            OfClasses(temperature, ClassPosterior.Of(judged, protocol, tileBytes, cancel)), OfThresholds(known, pairs));
    }

    private static PairReport OfPairs(PairCalibration calibration, PairSimilarities pairs)
    {
        // Without calibration the only reading of a cosine as a probability is to stretch −1 … 1 over 0 … 1.
        Forecast[] before = PairCalibration.Forecasts(pairs, Plain), after = PairCalibration.Forecasts(pairs, calibration.Probability);
        var bins = Reliability.EqualWidth(after, Reliability.DefaultBins);
        return new PairReport(
            calibration.Slope, calibration.Intercept, Prior: 0.5, pairs.SamePairs, pairs.DifferentPairs,
            new BeforeAfter(Reliability.ExpectedError(Reliability.EqualWidth(before, Reliability.DefaultBins)), Reliability.ExpectedError(bins)),
            new BeforeAfter(Adaptive(before), Adaptive(after)),
            new BeforeAfter(PairCalibration.NegativeLogLikelihood(pairs, Plain), PairCalibration.NegativeLogLikelihood(pairs, calibration.Probability)), bins);

        static double Plain(double similarity) => Math.Clamp((1 + similarity) / 2, 0, 1);
        static double Adaptive(Forecast[] forecasts) => Reliability.ExpectedError(Reliability.EqualMass(forecasts, Reliability.DefaultBins));
    }

    private static NearestClassReport OfClasses(double temperature, ClassPosterior posterior)
    {
        var (before, right) = TemperatureScaling.Predict(posterior.Logits, posterior.Classes, posterior.Labels, temperature: 1);
        var (after, _) = TemperatureScaling.Predict(posterior.Logits, posterior.Classes, posterior.Labels, temperature);
        var bins = Reliability.EqualWidth(after, right);
        return new NearestClassReport(
            temperature, right.Length, posterior.Classes, right.Count(value => value) / (double)right.Length,
            new BeforeAfter(Reliability.ExpectedError(Reliability.EqualWidth(before, right)), Reliability.ExpectedError(bins)),
            new BeforeAfter(Reliability.ExpectedError(Reliability.EqualMass(before, right)), Reliability.ExpectedError(Reliability.EqualMass(after, right))),
            new BeforeAfter(Likelihood(1), Likelihood(temperature)), bins);

        double Likelihood(double t) => TemperatureScaling.NegativeLogLikelihood(posterior.Logits, posterior.Classes, posterior.Labels, t);
    }

    private static VerificationReport OfThresholds(PairSimilarities known, PairSimilarities pairs) => new(
        Verification.EqualError(pairs).Rate, Verification.Area(pairs),
        [.. FalseMatchRates.Select(rate =>
        {
            var fitted = Verification.ForFalseMatchRate(known, rate);
            return new ThresholdReport(rate, fitted, fitted is null ? null : Verification.At(pairs, fitted.Threshold), Verification.ForFalseMatchRate(pairs, rate));
        })]);
}
