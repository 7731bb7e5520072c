using System.Globalization;
using System.Text.Json;

namespace DmlPipeline.Benchmarks;

/// <summary>
/// The claims of Heated-Up Softmax (arXiv 1809.04157) on alphabets that training did not see: heated beside unheated with the same passes over the data,
/// and what α does.
/// </summary>
/// <remarks>
/// usage: heated-up OMNIGLOT_ZIP [--seeds 0,1,2] [--epochs 10] [--alphas 4,8,16,32,64] [--threads 1] [--results FILE] [--plot FILE.svg]
/// "rate drop" is the schedule of the heated forms without the heat: what remains between the two is the temperature. With --results, what the file
/// holds already is not measured again.
/// </remarks>
internal static class HeatedUpBenchmark
{
    private const string Dropped = "schedule: {kind: step, drop_at: [0.75], drop_factor: 0.1}", Constant = "schedule: {kind: constant}", Cosine = "schedule: {kind: cosine}";

    private static readonly (string Name, string Loss, string Schedule)[] Compared =
    [
        ("SM", "softmax", Dropped), ("LN, cosine", "ln", Cosine), ("LN, rate drop", "ln", Dropped), ("HLN", "hln", Constant),
        ("BN, cosine", "bn", Cosine), ("BN, rate drop", "bn", Dropped), ("HBN", "hbn", Constant),
    ];

    public static int Run(string[] args)
    {
        var (epochs, threads) = (Option(args, "--epochs", "10"), Option(args, "--threads", "1"));
        var seeds = Option(args, "--seeds", "0,1,2").Split(',');
        var alphas = Option(args, "--alphas", "4,8,16,32,64").Split(',');
        var results = Option(args, "--results", "");
        var known = File.Exists(results) ? [.. File.ReadLines(results).Select(line => JsonSerializer.Deserialize<Measured>(line)!)] : new List<Measured>();
        using var train = HeldOutFolders.Load(args[0], TrainingTrial.Shape, HeldOutFolders.OfOurSplit.Split(','), isHeld: false);
        using var test = HeldOutFolders.Load(args[0], TrainingTrial.Shape, HeldOutFolders.OfOurSplit.Split(','), isHeld: true);

        foreach (var seed in seeds)
            foreach (var (_, loss, schedule) in Compared) Take(loss, schedule, "16", seed);
        foreach (var loss in new[] { "ln", "bn" })
            foreach (var alpha in alphas) Take(loss, Dropped, alpha, seeds[0]);

        Console.WriteLine($"{epochs} passes over the data, {seeds.Length} seeds\n{"",-16} {"recall@1",12} {"MAP@R",12}");
        foreach (var (name, loss, schedule) in Compared)
        {
            var runs = seeds.Select(seed => Find(loss, schedule, "16", seed)!).ToList();
            Console.WriteLine($"{name,-16} {Spread(runs, run => run.Recall1),12} {Spread(runs, run => run.MapAtR),12}");
        }
        Console.WriteLine($"\nalpha, rate drop, seed {seeds[0]}: MAP@R\n{"",-6} {string.Join(' ', alphas.Select(alpha => $"{alpha,7}"))}");
        var curves = new List<AlphaPlot.Curve>();
        foreach (var loss in new[] { "ln", "bn" })
        {
            var points = alphas.Select(alpha => (double.Parse(alpha, CultureInfo.InvariantCulture), 100 * Find(loss, Dropped, alpha, seeds[0])!.MapAtR)).ToList();
            curves.Add(new AlphaPlot.Curve(loss.ToUpperInvariant(), points));
            Console.WriteLine($"{loss.ToUpperInvariant(),-6} {string.Join(' ', points.Select(point => point.Item2.ToString("F1", CultureInfo.InvariantCulture).PadLeft(7)))}");
        }
        if (Option(args, "--plot", "") is { Length: > 0 } plot) File.WriteAllText(plot, AlphaPlot.Svg(curves));
        return 0;

        Measured? Find(string loss, string schedule, string alpha, string seed) =>
            known.Find(run => run.Loss == loss && run.Schedule == schedule && run.Alpha == alpha && run.Seed == seed && run.Epochs == epochs);

        void Take(string loss, string schedule, string alpha, string seed)
        {
            if (Find(loss, schedule, alpha, seed) is not null) return;
            var scale = loss == "softmax" ? "" : $", scale: {alpha}";
            var trial = TrainingTrial.Run(train, test,
                $"epochs: {epochs}\nseed: {seed}\nthreads: {threads}\n{schedule}\nsampler: {{kind: shuffled}}\nloss: {{name: {loss}{scale}}}\n{TrainingTrial.Strokes}");
            var measured = new Measured(loss, schedule, alpha, seed, epochs, trial.Recall1, trial.MapAtR);
            known.Add(measured);
            if (results.Length > 0) File.AppendAllText(results, JsonSerializer.Serialize(measured) + "\n");
            Console.Error.WriteLine(measured);
        }
    }

    private static string Spread(List<Measured> runs, Func<Measured, double> metric)
    {
        var values = runs.Select(run => 100 * metric(run)).ToList();
        var mean = values.Average();
        var deviation = values.Count > 1 ? Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1)) : 0;
        return string.Create(CultureInfo.InvariantCulture, $"{mean:F1} ± {deviation:F1}");
    }

    private static string Option(string[] args, string name, string otherwise) => Array.IndexOf(args, name) is >= 0 and var at ? args[at + 1] : otherwise;

    private sealed record Measured(string Loss, string Schedule, string Alpha, string Seed, string Epochs, double Recall1, double MapAtR);
}
