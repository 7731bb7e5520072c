using DmlPipeline.Learning.Data;

namespace DmlPipeline.Learning.Search;

/// <summary>A point that was tried and how well it did; higher is better, minus infinity for a trial that failed.</summary>
/// <param name="Point">Places in [0, 1), one per parameter.</param>
/// <param name="Score">What is maximised.</param>
public sealed record Observation(IReadOnlyList<double> Point, double Score);

/// <summary>Chooses what to try next, as a function of the seed and of what was tried: a search that was interrupted goes on as if it had not been.</summary>
public interface ISuggester
{
    /// <summary>A point of the space, for the trial after those observed.</summary>
    double[] Suggest(SearchSpace space, IReadOnlyList<Observation> history, long seed);
}

/// <summary>Uniform, whatever was tried before (Bergstra and Bengio 2012).</summary>
public sealed class RandomSuggester : ISuggester
{
    public double[] Suggest(SearchSpace space, IReadOnlyList<Observation> history, long seed) => At(space, history.Count, seed);

    /// <summary>The point of a trial by its number.</summary>
    public static double[] At(SearchSpace space, int trial, long seed)
    {
        var random = new CounterRandom(seed, trial);
        return [.. space.Parameters.Select(_ => random.NextDouble())];
    }
}
