using System.Globalization;
using System.Text.RegularExpressions;
using DmlPipeline.Learning.Data;

namespace DmlPipeline.Learning.Evaluation;

/// <summary>One-shot and few-shot classification: N classes are drawn, a few images of each are known, others are to be recognised.</summary>
public sealed partial record EpisodeSettings
{
    private const int MostWays = 10_000;

    /// <summary>Classes per episode.</summary>
    public int Ways { get; init; } = 5;

    /// <summary>Known images per class.</summary>
    public int Shots { get; init; } = 1;

    /// <summary>Images per class that are to be recognised.</summary>
    public int Queries { get; init; } = 1;

    /// <summary>Episodes drawn.</summary>
    public int Count { get; init; } = 1000;

    /// <summary>All classes of an episode come from one group, such as one alphabet: harder, for its characters are alike.</summary>
    public bool WithinGroup { get; init; }

    public long Seed { get; init; }

    /// <summary>"5w1s", "20w1s-within".</summary>
    public string Name => $"{Ways}w{Shots}s{(WithinGroup ? "-within" : "")}";

    [GeneratedRegex(@"^(?<ways>\d{1,5})w(?<shots>\d{1,3})s(?<within>-within)?$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Form();

    /// <summary>Reads a <see cref="Name"/>.</summary>
    /// <exception cref="ArgumentException">It is none.</exception>
    public static EpisodeSettings Parse(string name)
    {
        var match = Form().Match(name);
        var (ways, shots) = match.Success ? (Number("ways"), Number("shots")) : (0, 0);
        if (ways is < 2 or > MostWays || shots < 1)
            throw new ArgumentException($"'{name}' is no kind of episode: write for example 5w1s (5 classes, 1 known image of each), 20w5s, or 20w1s-within (the classes of one folder).");
        return new EpisodeSettings { Ways = ways, Shots = shots, WithinGroup = match.Groups["within"].Success };

        int Number(string part) => int.Parse(match.Groups[part].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);
    }
}

/// <summary>The mean accuracy over episodes.</summary>
/// <param name="Settings">What was drawn.</param>
/// <param name="Accuracy">Share of queries recognised, 0 … 1.</param>
/// <param name="Interval">95 % of the mean over episodes.</param>
public sealed record EpisodeResult(EpisodeSettings Settings, double Accuracy, Interval? Interval);

/// <summary>Draws and judges episodes (Lake et al. 2011; Vinyals et al. 2016). Deterministic, whatever the number of threads.</summary>
public static class Episodes
{
    /// <summary>A query is recognised as the class of its nearest known image, by inner product; of equal ones, the class drawn first.</summary>
    /// <param name="embeddings">[N, D], row-major, unit length.</param>
    /// <param name="dimension">D.</param>
    /// <param name="labels">[N].</param>
    /// <param name="groupOfLabel">By label; only read for episodes within groups.</param>
    /// <param name="settings">What to draw.</param>
    /// <param name="cancel">Stops between episodes.</param>
    /// <exception cref="InvalidDataException">There are too few classes with enough images; the message says how many.</exception>
    public static EpisodeResult Judge(float[] embeddings, int dimension, int[] labels, IReadOnlyList<string> groupOfLabel, EpisodeSettings settings, CancellationToken cancel) =>
        Judge(embeddings, embeddings, dimension, labels, groupOfLabel, settings, cancel);

    /// <summary>As above, where an image is not the same vector as a query as it is when it is known.</summary>
    internal static EpisodeResult Judge(
        float[] queries, float[] known, int dimension, int[] labels, IReadOnlyList<string> groupOfLabel, EpisodeSettings settings, CancellationToken cancel)
    {
        var need = settings.Shots + settings.Queries;
        var classes = Enumerable.Range(0, labels.Length).GroupBy(i => labels[i]).Where(group => group.Count() >= need).OrderBy(group => group.Key).ToList();
        var pools = classes.GroupBy(group => settings.WithinGroup ? groupOfLabel[group.Key] : "", group => group.ToArray(), StringComparer.Ordinal)
            .OrderBy(pool => pool.Key, StringComparer.Ordinal).Select(pool => pool.ToArray()).Where(pool => pool.Length >= settings.Ways).ToArray();
        if (pools.Length == 0)
        {
            throw new InvalidDataException(
                $"Episodes {settings.Name} need {settings.Ways} classes with {need} images{(settings.WithinGroup ? " in one folder of classes" : "")}; "
                + $"the set has {classes.Count} such classes{(settings.WithinGroup ? ", no folder enough of them" : "")}. Ask for fewer ways or shots.");
        }

        var accuracies = new double[settings.Count];
        Parallel.For(0, settings.Count, new ParallelOptions { CancellationToken = cancel }, episode =>
        {
            var random = new CounterRandom(settings.Seed, episode);
            var pool = pools[random.Below(pools.Length)];
            var drawn = Draw(pool, settings.Ways, ref random).Select(members => Draw(members, need, ref random)).ToArray();
            var right = 0;
            for (var way = 0; way < drawn.Length; way++)
                for (var query = settings.Shots; query < need; query++)
                    if (Nearest(queries.AsSpan(drawn[way][query] * dimension, dimension), known, drawn, settings.Shots) == way) right++;
            accuracies[episode] = (double)right / (settings.Ways * settings.Queries);
        });
        return new EpisodeResult(settings, accuracies.Average(), Intervals.OfMean(accuracies));
    }

    private static int Nearest(ReadOnlySpan<float> query, float[] known, int[][] drawn, int shots)
    {
        var (best, bestWay) = (float.NegativeInfinity, 0);
        for (var way = 0; way < drawn.Length; way++)
        {
            for (var shot = 0; shot < shots; shot++)
            {
                var similarity = VectorMath.Dot(query, known.AsSpan(drawn[way][shot] * query.Length, query.Length));
                if (similarity > best) (best, bestWay) = (similarity, way);
            }
        }
        return bestWay;
    }

    /// <summary>Some of the items without repetition, in random order.</summary>
    private static T[] Draw<T>(T[] items, int count, ref CounterRandom random)
    {
        var copy = (T[])items.Clone();
        for (var i = 0; i < count; i++)
        {
            var j = i + random.Below(copy.Length - i);
            (copy[i], copy[j]) = (copy[j], copy[i]);
        }
        return copy[..count];
    }
}
