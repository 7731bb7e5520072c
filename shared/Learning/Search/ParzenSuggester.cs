using DmlPipeline.Learning.Data;

namespace DmlPipeline.Learning.Search;

/// <summary>
/// Tree-structured Parzen estimator (Bergstra, Bardenet, Bengio and Kégl 2011): the best gamma of all trials give a density l, the others a density g;
/// of candidates drawn from l the one with the largest l / g, which is the largest expected improvement, is tried. Parameters are treated one by one.
/// </summary>
public sealed class ParzenSuggester : ISuggester
{
    // Section 4 of the paper: gamma 0.15. Its authors' program draws 24 candidates; ten random trials give the densities something to stand on.
    private const double Gamma = 0.15;
    private const int Candidates = 24, RandomTrials = 10;

    public double[] Suggest(SearchSpace space, IReadOnlyList<Observation> history, long seed)
    {
        if (history.Count < RandomTrials) return RandomSuggester.At(space, history.Count, seed);
        var random = new CounterRandom(seed, history.Count);
        var ranked = history.OrderByDescending(observation => observation.Score).ToArray();
        var good = (int)Math.Ceiling(Gamma * ranked.Length);
        return [.. space.Parameters.Select((parameter, dimension) =>
        {
            var places = ranked.Select(observation => observation.Point[dimension]).ToArray();
            return parameter.Kind == ParameterKind.Choices
                ? Choice(parameter.Choices.Count, places[..good], places[good..], ref random)
                : Number(places[..good], places[good..], ref random);
        })];
    }

    private static double Number(double[] good, double[] bad, ref CounterRandom random)
    {
        var (l, g) = (new ParzenDensity(good), new ParzenDensity(bad));
        var (best, bestGain) = (0.5, double.NegativeInfinity);
        for (var i = 0; i < Candidates; i++)
        {
            var candidate = l.Draw(ref random);
            var gain = Math.Log(l.At(candidate)) - Math.Log(g.At(candidate));
            if (gain > bestGain) (best, bestGain) = (candidate, gain);
        }
        return best;
    }

    /// <summary>Counts with one more for each choice take the place of densities.</summary>
    private static double Choice(int count, double[] good, double[] bad, ref CounterRandom random)
    {
        var (l, g) = (Weights(good), Weights(bad));
        var (best, bestGain) = (0, double.NegativeInfinity);
        for (var i = 0; i < Candidates; i++)
        {
            var (left, choice) = (random.NextDouble() * l.Sum(), 0);
            while (choice < count - 1 && (left -= l[choice]) >= 0) choice++;
            var gain = l[choice] / l.Sum() / (g[choice] / g.Sum());
            if (gain > bestGain) (best, bestGain) = (choice, gain);
        }
        return (best + 0.5) / count;

        double[] Weights(double[] places)
        {
            var weights = new double[count];
            Array.Fill(weights, 1);
            foreach (var place in places) weights[(int)(place * count)]++;
            return weights;
        }
    }
}
