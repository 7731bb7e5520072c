using System.Runtime.InteropServices;

namespace DmlPipeline.Learning.Evaluation;

/// <summary>Predictions of about the same probability: how sure they were, and how often they were right.</summary>
/// <param name="Low">Probabilities in the bin lie above this (the first bin's not below it)</param>
/// <param name="High">and not above this.</param>
/// <param name="Share">Of all predictions by weight, 0 … 1.</param>
/// <param name="Confidence">Their mean probability.</param>
/// <param name="Frequency">The share of them that came true.</param>
public sealed record ReliabilityBin(double Low, double High, double Share, double Confidence, double Frequency);

/// <summary>A probability that was given, whether it came true, and what the prediction weighs.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Forecast(double Probability, double Frequency, double Weight);

/// <summary>Reliability diagrams and the calibration errors read off them (Naeini, Cooper and Hauskrecht 2015; Guo et al. 2017; Nixon et al. 2019).</summary>
public static class Reliability
{
    /// <summary>The number of bins of Guo et al.</summary>
    public const int DefaultBins = 15;

    /// <summary>Bins ((m − 1)/M, m/M]; those without a prediction are left out.</summary>
    public static IReadOnlyList<ReliabilityBin> EqualWidth(IReadOnlyList<double> probabilities, IReadOnlyList<bool> outcomes, int bins = DefaultBins) =>
        EqualWidth(Forecasts(probabilities, outcomes), bins);

    /// <summary>Bins of as nearly equal weight as predictions of equal probability, which stay together, allow.</summary>
    public static IReadOnlyList<ReliabilityBin> EqualMass(IReadOnlyList<double> probabilities, IReadOnlyList<bool> outcomes, int bins = DefaultBins) =>
        EqualMass(Forecasts(probabilities, outcomes), bins);

    /// <summary>The expected calibration error Σ_m share_m |frequency_m − confidence_m|: ECE over bins of equal width, adaptive ECE over bins of equal mass.</summary>
    public static double ExpectedError(IReadOnlyList<ReliabilityBin> bins) => bins.Sum(bin => bin.Share * Math.Abs(bin.Frequency - bin.Confidence));

    /// <summary>max_m |frequency_m − confidence_m|; 0 without bins.</summary>
    public static double MaximumError(IReadOnlyList<ReliabilityBin> bins) => bins.Select(bin => Math.Abs(bin.Frequency - bin.Confidence)).DefaultIfEmpty(0).Max();

    internal static IReadOnlyList<ReliabilityBin> EqualWidth(IReadOnlyList<Forecast> forecasts, int bins)
    {
        Check(bins);
        var all = forecasts.Sum(forecast => forecast.Weight);
        return [.. forecasts.GroupBy(forecast => BinOf(forecast.Probability, bins)).OrderBy(group => group.Key)
            .Select(group => Bin((double)group.Key / bins, (group.Key + 1.0) / bins, [.. group], all))];
    }

    internal static IReadOnlyList<ReliabilityBin> EqualMass(IReadOnlyList<Forecast> forecasts, int bins)
    {
        Check(bins);
        var ordered = forecasts.OrderBy(forecast => forecast.Probability).ToList();
        var all = ordered.Sum(forecast => forecast.Weight);
        var (found, members, sum, low) = (new List<ReliabilityBin>(), new List<Forecast>(), 0.0, 0.0);
        for (var i = 0; i < ordered.Count; i++)
        {
            members.Add(ordered[i]);
            sum += ordered[i].Weight;
            var last = i == ordered.Count - 1;
            // The bin is full when its share of the whole is reached; a rounding error of the sum must not keep it open for one more.
            if (!last && (ordered[i + 1].Probability == ordered[i].Probability || sum * bins < all * (found.Count + 1) * (1 - 1e-12))) continue;
            var high = last ? 1 : ordered[i].Probability;
            found.Add(Bin(low, high, members, all));
            (members, low) = ([], high);
        }
        return found;
    }

    /// <summary>m of ((m/M, (m + 1)/M], compared with the edges as they are rounded, not by a product that may fall on the other side.</summary>
    private static int BinOf(double probability, int bins)
    {
        var bin = Math.Clamp((int)Math.Ceiling(probability * bins) - 1, 0, bins - 1);
        if (bin > 0 && probability <= (double)bin / bins) return bin - 1;
        return bin < bins - 1 && probability > (bin + 1.0) / bins ? bin + 1 : bin;
    }

    private static ReliabilityBin Bin(double low, double high, List<Forecast> members, double all)
    {
        double weight = 0, confidence = 0, frequency = 0;
        foreach (var member in members)
        {
            weight += member.Weight;
            confidence += member.Weight * member.Probability;
            frequency += member.Weight * member.Frequency;
        }
        return new ReliabilityBin(low, high, weight / all, confidence / weight, frequency / weight);
    }

    private static Forecast[] Forecasts(IReadOnlyList<double> probabilities, IReadOnlyList<bool> outcomes)
    {
        if (probabilities.Count != outcomes.Count) throw new ArgumentException($"There are {probabilities.Count} probabilities but {outcomes.Count} outcomes.");
        return [.. probabilities.Zip(outcomes, (probability, came) => new Forecast(probability, came ? 1 : 0, 1))];
    }

    private static void Check(int bins)
    {
        if (bins < 1) throw new ArgumentOutOfRangeException(nameof(bins), bins, "There must be at least one bin.");
    }
}
