using DmlPipeline.Cli.Terminal;
using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Cli.Judging;

/// <summary>Linear baselines and calibration in words.</summary>
internal static class FittedText
{
    public static void Print(Screen screen, EvaluationReport report)
    {
        if (report.Linear is { } linear)
        {
            screen.Line();
            screen.Line($"  Linear baselines: fitted to {Fitted(linear.FittedOn, linear.FittedImages, linear.FittedClasses)};");
            screen.Line($"  dimensions left: {string.Join(", ", linear.Dimensions.Select(entry => $"{entry.Key.Replace('-', ' ')} {Show.Count(entry.Value)}"))}");
        }
        if (report.Calibration is { } calibration) Print(screen, calibration);
    }

    private static void Print(Screen screen, CalibrationReport calibration)
    {
        var (pairs, nearest, verification) = (calibration.Pairs, calibration.NearestClass, calibration.Verification);
        screen.Line();
        screen.Heading($"Probabilities and thresholds, fitted to {Fitted(calibration.FittedOn ?? "other images", calibration.FittedImages, calibration.FittedClasses)}");
        screen.Table(["  probability that", ">error before", ">after", ">adaptive", ">loss before", ">after", "calibrated"],
        [
            Row("a pair is of one class", pairs.Ece, pairs.AdaptiveEce, pairs.NegativeLogLikelihood, $"1 / (1 + exp({-pairs.Intercept:0.00} − {pairs.Slope:0.00} · similarity)), half of the pairs being so"),
            Row("the nearest class is right", nearest.Ece, nearest.AdaptiveEce, nearest.NegativeLogLikelihood, $"softmax(similarity to class means / {nearest.Temperature:0.0000})"),
        ]);
        screen.Line();
        screen.Line($"  The nearest of {Show.Count(nearest.Classes)} class means is right for {Show.Percent(nearest.Accuracy)} of {Show.Count(nearest.Images, "image")}.");
        screen.Line($"  Same class or not, by similarity: equal error rate {Show.Percent(verification.EqualErrorRate)}, area under the curve {Show.Percent(verification.Area)},");
        screen.Line($"  over {Show.Count(pairs.SamePairs, "pair")} of one class and {Show.Count(pairs.DifferentPairs)} of two.");
        screen.Line();
        screen.Table([">  false matches wanted", ">similarity at least", ">false matches", ">matches found", ">with the test's own threshold"], verification.Thresholds.Select(threshold => (string[])
        [
            $"  {100 * threshold.WantedFalseMatchRate:0.###} %", threshold.Fitted is { } fitted ? $"{fitted.Threshold:0.0000}" : "too few pairs",
            threshold.Judged is { } judged ? $"{100 * judged.FalseMatchRate:0.000} %" : "–", threshold.Judged is { } found ? Show.Percent(found.TrueMatchRate) : "–",
            threshold.Own is { } own ? Show.Percent(own.TrueMatchRate) : "–",
        ]));

        string[] Row(string title, BeforeAfter error, BeforeAfter adaptive, BeforeAfter loss, string formula) =>
            [$"  {title}", Show.Percent(error.Before), Show.Percent(error.After), Show.Percent(adaptive.After), $"{loss.Before:0.000}", $"{loss.After:0.000}", formula];
    }

    private static string Fitted(string title, int images, int classes) => $"{title} ({Show.Count(images, "image")} of {Show.Count(classes, "class", "classes")})";
}
