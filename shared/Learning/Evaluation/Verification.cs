namespace DmlPipeline.Learning.Evaluation;

/// <summary>Rates of "is it the same?" when a similarity of at least <paramref name="Threshold"/> means yes.</summary>
/// <param name="Threshold">On the cosine similarity.</param>
/// <param name="FalseMatchRate">Pairs of two classes taken for one, of all such pairs.</param>
/// <param name="TrueMatchRate">Pairs of one class found to be so, of all such pairs.</param>
public sealed record OperatingPoint(double Threshold, double FalseMatchRate, double TrueMatchRate);

/// <summary>The receiver operating characteristic of similarities, and points on it.</summary>
public static class Verification
{
    /// <summary>The rates at a threshold, exact where it is the edge of a cell, and else those of the next edge above.</summary>
    public static OperatingPoint At(PairSimilarities pairs, double threshold)
    {
        // No cell begins beyond the last: there a threshold matches nothing.
        var cell = Math.Clamp(Math.Ceiling((threshold + 1) * (PairSimilarities.Cells / 2)), 0, PairSimilarities.Cells);
        long same = 0, different = 0;
        for (var i = (int)cell; i < PairSimilarities.Cells; i++) (same, different) = (same + pairs.Same[i], different + pairs.Different[i]);
        return new OperatingPoint(threshold, (double)different / pairs.DifferentPairs, (double)same / pairs.SamePairs);
    }

    /// <summary>
    /// The lowest threshold whose false match rate is not above the one wanted (TAR@FAR, true matches at a rate of false ones). Null where there are too
    /// few pairs of two classes to tell: fewer than 1 / rate.
    /// </summary>
    public static OperatingPoint? ForFalseMatchRate(PairSimilarities pairs, double rate)
    {
        if (rate is not (> 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(rate), rate, "A false match rate lies between 0 and 1.");
        if (pairs.DifferentPairs * rate < 1) return null;
        long same = 0, different = 0;
        var cell = PairSimilarities.Cells;
        for (; cell > 0 && different + pairs.Different[cell - 1] <= rate * pairs.DifferentPairs; cell--)
            (same, different) = (same + pairs.Same[cell - 1], different + pairs.Different[cell - 1]);
        return new OperatingPoint(PairSimilarities.EdgeOf(cell), (double)different / pairs.DifferentPairs, (double)same / pairs.SamePairs);
    }

    /// <summary>
    /// The rate at which as large a share of the pairs of two classes is taken for one as of the pairs of one class for two, on straight lines between the
    /// points of the curve; and the threshold nearest to it.
    /// </summary>
    public static (double Rate, double Threshold) EqualError(PairSimilarities pairs)
    {
        double lastFalse = 0, lastMissed = 1;
        long same = 0, different = 0;
        for (var cell = PairSimilarities.Cells - 1; cell >= 0; cell--)
        {
            if (pairs.Same[cell] == 0 && pairs.Different[cell] == 0) continue;
            (same, different) = (same + pairs.Same[cell], different + pairs.Different[cell]);
            double falseRate = (double)different / pairs.DifferentPairs, missed = 1 - ((double)same / pairs.SamePairs);
            if (falseRate >= missed)
            {
                // lastFalse < lastMissed: the lines cross in between.
                var share = (lastMissed - lastFalse) / (lastMissed - lastFalse + falseRate - missed);
                return (lastFalse + (share * (falseRate - lastFalse)), PairSimilarities.EdgeOf(share < 0.5 ? cell + 1 : cell));
            }
            (lastFalse, lastMissed) = (falseRate, missed);
        }
        throw new ArgumentException("There are no pairs of one class or none of two.", nameof(pairs));
    }

    /// <summary>The area under the curve: the probability that a pair of one class is more similar than one of two, ties counting half.</summary>
    public static double Area(PairSimilarities pairs)
    {
        double area = 0;
        long same = 0;
        for (var cell = PairSimilarities.Cells - 1; cell >= 0; cell--)
        {
            area += pairs.Different[cell] * (same + (pairs.Same[cell] / 2.0));
            same += pairs.Same[cell];
        }
        return area / pairs.SamePairs / pairs.DifferentPairs;
    }
}
