namespace DmlPipeline.Learning.Evaluation;

/// <summary>
/// Temperature scaling (Guo, Pleiss, Sun and Weinberger 2017, eq. 9): probabilities softmax(z / T), with the one T that makes known labels most likely.
/// It never changes which class is the most probable.
/// </summary>
public static class TemperatureScaling
{
    // Of the largest spread of logits: where every image is classified rightly, ever lower temperatures are ever better.
    private const double Lowest = 1e-3, Highest = 1e3;
    private const int MostSteps = 100;

    /// <summary>
    /// T = argmin −(1/N) Σ ln softmax(z_i / T)[y_i]. The loss is convex in β = 1/T; the root of its derivative (1/N) Σ (Σ_j p_ij z_ij − z_i,y) is found by
    /// Newton's method in ln β, and by bisection where Newton leaves the bracket. 1 where logits do not differ.
    /// </summary>
    /// <param name="logits">z, [N, C] row-major.</param>
    /// <param name="classes">C.</param>
    /// <param name="labels">y, [N], 0 … C − 1.</param>
    /// <returns>
    /// T, at least a thousandth and at most a thousand times the largest difference within a row; where every row is right, one at which the loss is zero to
    /// rounding.
    /// </returns>
    /// <exception cref="InvalidDataException">There are no rows, or a logit is not finite.</exception>
    public static double Fit(float[] logits, int classes, int[] labels)
    {
        Check(logits, classes, labels);
        double spread = 0;
        for (var row = 0; row < labels.Length; row++)
        {
            var values = logits.AsSpan(row * classes, classes);
            spread = Math.Max(spread, (double)values[Most(values)] - VectorMath.Least(values));
        }
        if (spread == 0) return 1;

        double low = Math.Log(1 / (Highest * spread)), high = Math.Log(1 / (Lowest * spread)), at = Math.Log(1 / spread);
        for (var step = 0; step < MostSteps && high - low > 1e-12; step++)
        {
            var beta = Math.Exp(at);
            var (slope, curvature) = Derivatives(logits, classes, labels, beta);
            if (slope == 0) break;
            if (slope > 0) high = at;
            else low = at;
            // In ln β the derivative is β·slope, its own derivative β·slope + β²·curvature.
            var second = (beta * slope) + (beta * beta * curvature);
            var newton = second > 0 ? at - (beta * slope / second) : double.NaN;
            var next = newton > low && newton < high ? newton : (low + high) / 2;
            if (Math.Abs(next - at) < 1e-13) break;
            at = next;
        }
        return Math.Exp(-at);
    }

    /// <summary>−(1/N) Σ ln softmax(z_i / T)[y_i].</summary>
    public static double NegativeLogLikelihood(float[] logits, int classes, int[] labels, double temperature)
    {
        Check(logits, classes, labels);
        double sum = 0;
        for (var row = 0; row < labels.Length; row++)
        {
            var values = logits.AsSpan(row * classes, classes);
            var most = Most(values);
            double total = 0;
            foreach (var value in values) total += Math.Exp(((double)value - values[most]) / temperature);
            sum += Math.Log(total) - (((double)values[labels[row]] - values[most]) / temperature);
        }
        return sum / labels.Length;
    }

    /// <summary>The probability of the most probable class of every row, and whether it is the right one; of equal logits the first counts.</summary>
    public static (double[] Confidence, bool[] Right) Predict(float[] logits, int classes, int[] labels, double temperature)
    {
        Check(logits, classes, labels);
        var (confidence, right) = (new double[labels.Length], new bool[labels.Length]);
        for (var row = 0; row < labels.Length; row++)
        {
            var values = logits.AsSpan(row * classes, classes);
            var most = Most(values);
            double total = 0;
            foreach (var value in values) total += Math.Exp(((double)value - values[most]) / temperature);
            (confidence[row], right[row]) = (1 / total, most == labels[row]);
        }
        return (confidence, right);
    }

    /// <summary>Of the loss by β: the mean of E[z] − z_y and the mean variance of z, both under softmax(βz).</summary>
    private static (double Slope, double Curvature) Derivatives(float[] logits, int classes, int[] labels, double beta)
    {
        double slope = 0, curvature = 0;
        for (var row = 0; row < labels.Length; row++)
        {
            var values = logits.AsSpan(row * classes, classes);
            double largest = values[Most(values)], total = 0, first = 0, second = 0;
            foreach (var value in values)
            {
                // Relative to the largest, so that nothing overflows and the variance loses no digits.
                var below = value - largest;
                var weight = Math.Exp(beta * below);
                total += weight;
                first += weight * below;
                second += weight * below * below;
            }
            var mean = first / total;
            slope += mean - (values[labels[row]] - largest);
            curvature += (second / total) - (mean * mean);
        }
        return (slope / labels.Length, Math.Max(0, curvature / labels.Length));
    }

    private static int Most(ReadOnlySpan<float> values)
    {
        var most = 0;
        for (var i = 1; i < values.Length; i++)
            if (values[i] > values[most]) most = i;
        return most;
    }

    private static void Check(float[] logits, int classes, int[] labels)
    {
        if (classes < 1 || logits.Length != (long)labels.Length * classes)
            throw new ArgumentException($"{labels.Length} rows of {classes} classes need {(long)labels.Length * classes} logits, not {logits.Length}.");
        if (labels.Length == 0) throw new InvalidDataException("There is nothing to calibrate with: no image has another of its class.");
        if (labels.AsSpan().ContainsAnyExceptInRange(0, classes - 1)) throw new ArgumentException($"A label lies outside 0 … {classes - 1}.");
        if (logits.AsSpan().ContainsAnyExceptInRange(float.MinValue, float.MaxValue))
            throw new InvalidDataException("A logit is not a finite number: the model that made it has diverged. Train it with a lower learning rate.");
    }
}
