namespace DmlPipeline.Learning.Evaluation;

/// <summary>A number without calibration and with it.</summary>
public sealed record BeforeAfter(double Before, double After);

/// <summary>How probabilities that were fitted to some classes do on others.</summary>
/// <param name="FittedImages">Images that were fitted to.</param>
/// <param name="FittedClasses">Their classes, none of which is judged.</param>
/// <param name="Pairs">The probability that two images are of one class.</param>
/// <param name="NearestClass">The probability that the nearest class is the right one.</param>
/// <param name="Verification">Thresholds of similarity.</param>
public sealed record CalibrationReport(int FittedImages, int FittedClasses, PairReport Pairs, NearestClassReport NearestClass, VerificationReport Verification)
{
    /// <summary>What was fitted to, in words.</summary>
    public string? FittedOn { get; init; }
}

/// <summary>p = σ(slope · cosine + intercept), half of the pairs being of one class; without calibration p = (1 + cosine)/2.</summary>
/// <param name="Slope">a.</param>
/// <param name="Intercept">b.</param>
/// <param name="Prior">The share of pairs of one class, by weight.</param>
/// <param name="SamePairs">Judged pairs of one class.</param>
/// <param name="DifferentPairs">Judged pairs of two.</param>
/// <param name="Ece">Expected calibration error over bins of equal width.</param>
/// <param name="AdaptiveEce">Over bins of equal mass.</param>
/// <param name="NegativeLogLikelihood">Per pair, in nats; ln 2 knows nothing.</param>
/// <param name="Reliability">With calibration, bins of equal width.</param>
public sealed record PairReport(
    double Slope, double Intercept, double Prior, long SamePairs, long DifferentPairs,
    BeforeAfter Ece, BeforeAfter AdaptiveEce, BeforeAfter NegativeLogLikelihood, IReadOnlyList<ReliabilityBin> Reliability);

/// <summary>softmax(cosines to class means / temperature); without calibration the temperature is 1.</summary>
/// <param name="Temperature">T.</param>
/// <param name="Images">Judged images, each without itself in its class's mean.</param>
/// <param name="Classes">Classes to choose from.</param>
/// <param name="Accuracy">Share of images whose nearest class is theirs; calibration does not change it.</param>
/// <param name="Ece">Expected calibration error of the nearest class's probability over bins of equal width.</param>
/// <param name="AdaptiveEce">Over bins of equal mass.</param>
/// <param name="NegativeLogLikelihood">Per image, in nats; ln C knows nothing.</param>
/// <param name="Reliability">With calibration, bins of equal width.</param>
public sealed record NearestClassReport(
    double Temperature, int Images, int Classes, double Accuracy,
    BeforeAfter Ece, BeforeAfter AdaptiveEce, BeforeAfter NegativeLogLikelihood, IReadOnlyList<ReliabilityBin> Reliability);

/// <summary>"Are these two of one class?" by a threshold on the similarity.</summary>
/// <param name="EqualErrorRate">On the judged classes.</param>
/// <param name="Area">Under their receiver operating characteristic.</param>
/// <param name="Thresholds">For every false match rate wanted.</param>
public sealed record VerificationReport(double EqualErrorRate, double Area, IReadOnlyList<ThresholdReport> Thresholds);

/// <summary>A threshold chosen on the fitted classes for a false match rate, and what comes of it on the judged ones.</summary>
/// <param name="WantedFalseMatchRate">Of pairs of two classes.</param>
/// <param name="Fitted">On the classes it was chosen on; null where they have too few pairs (fewer than 1 / rate).</param>
/// <param name="Judged">The same threshold on the judged classes.</param>
/// <param name="Own">The judged classes' own threshold for that rate (TAR@FAR); null where they have too few pairs.</param>
public sealed record ThresholdReport(double WantedFalseMatchRate, OperatingPoint? Fitted, OperatingPoint? Judged, OperatingPoint? Own);
