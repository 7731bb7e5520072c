using System.Globalization;
using DmlPipeline.Learning.Data;

namespace DmlPipeline.Learning.Evaluation.Drift;

/// <summary>How far two samples are apart, beside how far samples of one kind are.</summary>
/// <param name="Statistic">Of the two samples.</param>
/// <param name="Threshold">What a share alpha of the exchanged samples exceeds, and no less than the distance of two samples of one kind that have no image in common.</param>
/// <param name="P">Share of the exchanged samples that are as far apart, this one counted.</param>
/// <param name="Alpha">Share of false alarms.</param>
public sealed record PermutationResult(double Statistic, double Threshold, double P, double Alpha)
{
    public bool IsDrift => P <= Alpha && Statistic > Threshold;

    /// <summary>The numbers in a sentence.</summary>
    public string Text(string name) => string.Create(CultureInfo.InvariantCulture, $"{name} {Statistic:0.####}, threshold {Threshold:0.####} (p {P:0.###}, alpha {Alpha:0.###})");
}

/// <summary>
/// Calibrates a distance between old and new images by exchanging them: with nothing changed, each exchange is as likely as what was seen, so at most a
/// share alpha of all comparisons ends in an alarm, whatever the distribution and however few images there are.
/// </summary>
/// <remarks>
/// Images of a class resemble each other, so they are not exchanged freely: where a class has old and new images, these change places within the class;
/// classes that are only old or only new change sides whole. A new class among few is then no drift by itself.
/// </remarks>
internal static class PermutationTest
{
    /// <summary>Enough that alpha is four steps of p.</summary>
    public static int Exchanges(double alpha) => Math.Max(99, (int)Math.Ceiling(4 / alpha) - 1);

    /// <param name="statistic">Of a division into old and new; larger is farther.</param>
    /// <param name="isNew">By image.</param>
    /// <param name="labels">Class of each image.</param>
    /// <param name="alpha">Share of false alarms.</param>
    /// <param name="least">What the statistic is on average for independent samples of one distribution: less is no drift, however little chance there was.</param>
    /// <param name="seed">Of the exchanges.</param>
    /// <param name="cancel">Stops between exchanges.</param>
    public static PermutationResult Run(Func<bool[], double> statistic, bool[] isNew, int[] labels, double alpha, double least, long seed, CancellationToken cancel)
    {
        var seen = statistic(isNew);
        var units = new Units(isNew, labels);
        var exchanged = new double[Exchanges(alpha)];
        for (var draw = 0; draw < exchanged.Length; draw++)
        {
            cancel.ThrowIfCancellationRequested();
            exchanged[draw] = statistic(units.Exchange(new CounterRandom(seed, draw)));
        }
        // Equal but for rounding is equal: a division may come again as it was.
        var asFar = exchanged.Count(value => value >= seen - (1e-9 * Math.Abs(seen)));
        Array.Sort(exchanged);
        var threshold = exchanged[Math.Min(exchanged.Length - 1, (int)Math.Ceiling((1 - alpha) * (exchanged.Length + 1)) - 1)];
        return new PermutationResult(seen, Math.Max(least, threshold), (1.0 + asFar) / (1 + exchanged.Length), alpha);
    }

    internal sealed class Units
    {
        private readonly bool[] isNew;
        private readonly List<int[]> mixed = [];
        private readonly List<int[]> pure = [];

        public Units(bool[] isNew, int[] labels)
        {
            this.isNew = isNew;
            foreach (var images in Enumerable.Range(0, labels.Length).GroupBy(i => labels[i]).OrderBy(group => group.Key).Select(group => group.ToArray()))
                (images.Any(i => isNew[i]) && images.Any(i => !isNew[i]) ? mixed : pure).Add(images);
        }

        public bool[] Exchange(CounterRandom random)
        {
            var exchanged = new bool[isNew.Length];
            foreach (var images in mixed)
            {
                var sides = images.Select(i => isNew[i]).ToArray();
                random.Shuffle<bool>(sides);
                for (var i = 0; i < images.Length; i++) exchanged[images[i]] = sides[i];
            }
            var classes = pure.Select(images => isNew[images[0]]).ToArray();
            random.Shuffle<bool>(classes);
            for (var unit = 0; unit < classes.Length; unit++)
                foreach (var i in pure[unit]) exchanged[i] = classes[unit];
            return exchanged;
        }
    }
}
