using DmlPipeline.Registry.Gates;

namespace DmlPipeline.Benchmarks;

/// <summary>How often the gate is wrong: promotions of challengers that are no better, refusals of challengers that are better by two points.</summary>
internal static class GateBenchmark
{
    private const double TrueGain = 0.02;

    public static int Run(string[] arguments)
    {
        var challengers = arguments.Length > 0 ? int.Parse(arguments[0], System.Globalization.CultureInfo.InvariantCulture) : 2000;
        Console.WriteLine($"{challengers:N0} challengers in each case; the default rule, and the same with single queries drawn instead of classes");
        Console.WriteLine($"{"classes",8} {"queries",8}   {"false promotions",16} {"missed, +2 points",18}   {"by queries: false",18} {"missed",8}");
        foreach (var classes in new[] { 10, 20, 36, 100, 300 })
            foreach (var perClass in new[] { 5, 20 })
            {
                var simulation = new GateSimulation(classes, perClass, Seed: 1);
                // Drawing every query of thousands costs much and tells little more: fewer draws do.
                var (byClass, byQuery) = (new GateRule { Resamples = 1000 }, new GateRule { Resamples = 400, Over = DrawnUnit.Queries });
                var few = Math.Max(200, challengers / 4);
                Console.WriteLine(
                    $"{classes,8} {classes * perClass,8:N0}   {simulation.Promoted(byClass, 0, challengers),16:0.0 %} {1 - simulation.Promoted(byClass, TrueGain, challengers),18:0.0 %}"
                    + $"   {simulation.Promoted(byQuery, 0, few),18:0.0 %} {1 - simulation.Promoted(byQuery, TrueGain, few),8:0.0 %}");
            }
        return 0;
    }
}
