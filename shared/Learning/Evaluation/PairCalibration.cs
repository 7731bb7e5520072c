namespace DmlPipeline.Learning.Evaluation;

/// <summary>
/// The probability that two images are of one class, from their cosine similarity: p = σ(a s + b) (Platt 1999). It holds for pairs of which half are of one
/// class; where a share π is, add ln(π / (1 − π)) to b.
/// </summary>
/// <param name="Slope">a; its inverse is the temperature of the similarity.</param>
/// <param name="Intercept">b.</param>
public sealed record PairCalibration(double Slope, double Intercept)
{
    private const int MostSteps = 100;

    public double Probability(double similarity) => Sigmoid((Slope * similarity) + Intercept);

    /// <summary>
    /// Fits a and b by Newton's method to the mean of −t ln p − (1 − t) ln(1 − p), both kinds of pairs weighing one half together. As in Platt, the targets
    /// are t = (n₊ + 1)/(n₊ + 2) and 1/(n₋ + 2), so that a stays finite where a threshold parts the pairs without error.
    /// </summary>
    public static PairCalibration Fit(PairSimilarities pairs)
    {
        double high = (pairs.SamePairs + 1.0) / (pairs.SamePairs + 2.0), low = 1 / (pairs.DifferentPairs + 2.0);
        var cells = Weighted(pairs).ToArray();
        var at = new PairCalibration(0, 0);
        var value = Loss(at);
        for (var step = 0; step < MostSteps; step++)
        {
            double a = 0, b = 0, aa = 0, ab = 0, bb = 0;
            foreach (var (similarity, same, different) in cells)
            {
                var p = at.Probability(similarity);
                var residual = (same * (p - high)) + (different * (p - low));
                var curvature = (same + different) * p * (1 - p);
                (a, b) = (a + (residual * similarity), b + residual);
                (aa, ab, bb) = (aa + (curvature * similarity * similarity), ab + (curvature * similarity), bb + curvature);
            }
            if (Math.Max(Math.Abs(a), Math.Abs(b)) < 1e-12) break;
            // A trace of the diagonal more, for where all similarities are equal.
            (aa, bb) = (aa + (1e-12 * (aa + bb)) + 1e-300, bb + (1e-12 * (aa + bb)) + 1e-300);
            var determinant = (aa * bb) - (ab * ab);
            double ofSlope = ((bb * a) - (ab * b)) / determinant, ofIntercept = ((aa * b) - (ab * a)) / determinant, length = 1;
            PairCalibration next;
            double there;
            do
            {
                next = new PairCalibration(at.Slope - (length * ofSlope), at.Intercept - (length * ofIntercept));
                there = Loss(next);
                length /= 2;
            }
            while (!(there <= value) && length > 1e-10);
            if (!(there < value)) break;
            (at, value) = (next, there);
        }
        return at;

        double Loss(PairCalibration tried) => cells.Sum(cell =>
        {
            var u = (tried.Slope * cell.Similarity) + tried.Intercept;
            return (cell.Same * ((high * Softplus(-u)) + ((1 - high) * Softplus(u)))) + (cell.Different * ((low * Softplus(-u)) + ((1 - low) * Softplus(u))));
        });
    }

    /// <summary>The mean of −ln of the probability given to what is so, both kinds of pairs weighing one half; <paramref name="probability"/> of a similarity.</summary>
    internal static double NegativeLogLikelihood(PairSimilarities pairs, Func<double, double> probability) =>
        Weighted(pairs).Sum(cell => Term(cell.Same, probability(cell.Similarity)) + Term(cell.Different, 1 - probability(cell.Similarity)));

    /// <summary>A forecast for every similarity that occurs.</summary>
    internal static Forecast[] Forecasts(PairSimilarities pairs, Func<double, double> probability) =>
        [.. Weighted(pairs).Select(cell => new Forecast(probability(cell.Similarity), cell.Same / (cell.Same + cell.Different), cell.Same + cell.Different))];

    /// <summary>Cells with pairs in them; both kinds weigh one half in all.</summary>
    private static IEnumerable<(double Similarity, double Same, double Different)> Weighted(PairSimilarities pairs)
    {
        for (var cell = 0; cell < PairSimilarities.Cells; cell++)
        {
            if (pairs.Same[cell] == 0 && pairs.Different[cell] == 0) continue;
            yield return (PairSimilarities.MiddleOf(cell), 0.5 * pairs.Same[cell] / pairs.SamePairs, 0.5 * pairs.Different[cell] / pairs.DifferentPairs);
        }
    }

    // A probability of exactly 0 counts as the least double, so that one sure error does not make the mean infinite.
    private static double Term(double weight, double probability) => weight == 0 ? 0 : -weight * Math.Log(Math.Max(probability, double.Epsilon));

    private static double Softplus(double x) => Math.Max(x, 0) + Math.Log(1 + Math.Exp(-Math.Abs(x)));

    private static double Sigmoid(double x) => x >= 0 ? 1 / (1 + Math.Exp(-x)) : Math.Exp(x) / (1 + Math.Exp(x));
}
