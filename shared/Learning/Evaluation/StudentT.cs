namespace DmlPipeline.Learning.Evaluation;

/// <summary>Student's t distribution, for intervals of means of few values.</summary>
internal static class StudentT
{
    /// <summary>The value below which a share of the distribution lies, for shares of one half and more, found by bisection of the distribution.</summary>
    public static double Quantile(double share, int degrees)
    {
        if (share is not (>= 0.5 and < 1) || degrees < 1) throw new ArgumentOutOfRangeException(nameof(share), share, "The share must be 0.5 to 1, the degrees of freedom at least 1.");
        double low = 0, high = 1;
        while (Below(high, degrees) < share) high *= 2;
        for (var i = 0; i < 80; i++)
        {
            var middle = (low + high) / 2;
            if (Below(middle, degrees) < share) low = middle;
            else high = middle;
        }
        return (low + high) / 2;
    }

    /// <summary>
    /// The distribution function for whole degrees of freedom as a finite sum (Abramowitz and Stegun 26.7.3 and 26.7.4) in theta = atan(t / sqrt(n)).
    /// </summary>
    private static double Below(double t, int degrees)
    {
        var theta = Math.Atan(t / Math.Sqrt(degrees));
        var (sin, cos) = Math.SinCos(theta);
        double sum = 0, term = degrees % 2 == 1 ? cos : 1;
        for (var i = degrees % 2 == 1 ? 3 : 2; i <= degrees; i += 2)
        {
            sum += term;
            term *= cos * cos * (i - 1) / i;
        }
        var within = degrees % 2 == 1 ? 2 / Math.PI * (theta + (sin * sum)) : sin * sum;
        return (1 + within) / 2;
    }
}
