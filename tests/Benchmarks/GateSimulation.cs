using DmlPipeline.Contracts.Comparisons;
using DmlPipeline.Registry.Gates;

namespace DmlPipeline.Benchmarks;

/// <summary>
/// Challengers whose true gain is known, put before the gate. Values per query are made as those of real models are: classes differ in how hard they
/// are, models in what they are good at, so that the queries of a class win and lose together, and every query adds its own chance.
/// </summary>
/// <param name="Classes">Test classes, in four folders.</param>
/// <param name="Queries">Of each class.</param>
/// <param name="Seed">Of everything that is drawn.</param>
public sealed record GateSimulation(int Classes, int Queries, int Seed)
{
    /// <summary>Standard deviation, over classes, of the difference between two models that are equally good on the whole.</summary>
    public double ClassSpread { get; init; } = 0.05;

    /// <summary>Standard deviation, over the queries of a class, of that difference.</summary>
    public double QuerySpread { get; init; } = 0.15;

    /// <summary>How often, of so many challengers, the rule promotes one that is truly better by <paramref name="gain"/>.</summary>
    public double Promoted(GateRule rule, double gain, int challengers)
    {
        var promoted = 0;
        Parallel.For(0, challengers, challenger =>
        {
            var decision = PromotionGate.Decide(rule with { Seed = challenger }, Facts(gain, new Random((Seed * 1_000_003) + challenger)));
            if (decision.Outcome == GateOutcome.Promote) Interlocked.Increment(ref promoted);
        });
        return (double)promoted / challengers;
    }

    private GateFacts Facts(double gain, Random random)
    {
        var (labels, champion, challenger) = (new int[Classes * Queries], new double[Classes * Queries], new double[Classes * Queries]);
        for (var label = 0; label < Classes; label++)
        {
            var (ease, turn) = (0.6 + (0.15 * Normal(random)), gain + (ClassSpread * Normal(random)));
            for (var query = label * Queries; query < (label + 1) * Queries; query++)
            {
                labels[query] = label;
                champion[query] = ease + (0.2 * Normal(random));
                challenger[query] = champion[query] + turn + (QuerySpread * Normal(random));
            }
        }
        var split = new ComparedSplit(
            SplitKinds.Current, 1, [.. Enumerable.Range(0, Classes).Select(label => $"folder{label * 4 / Classes}/class{label}")], labels, Values(challenger), Values(champion));
        var cost = new ModelCost(1, 1, 1, "cpu");
        var comparison = new ModelComparison { Champion = 1, Splits = [split], ChallengerCost = cost, ChampionCost = cost, Checks = [] };
        return new GateFacts(1, new Dictionary<string, double>(StringComparer.Ordinal) { ["map@r"] = challenger.Average() }, comparison, [], Approved: null);
    }

    private static Dictionary<string, IReadOnlyList<double>> Values(double[] values) => new(StringComparer.Ordinal) { ["map@r"] = values };

    /// <summary>Box and Muller 1958.</summary>
    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
