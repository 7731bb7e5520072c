using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Cli.Terminal;

/// <summary>A model's metrics, their intervals, and those of the baselines below them.</summary>
internal static class MetricsTable
{
    public static void Print(Screen screen, EvaluationReport report, IReadOnlyList<string>? only = null)
    {
        var names = report.Metrics.Keys.Where(name => only is null || only.Contains(name, StringComparer.Ordinal)).ToList();
        var rows = new List<string[]> { Row("this model", name => Value(report.Metrics, name)) };
        if (report.Intervals is { Count: > 0 } intervals)
        {
            rows.Add(Row($"  {100 * (report.IntervalSettings?.Level ?? 0.95):0.#} % interval",
                name => intervals.TryGetValue(name, out var interval) ? $"{100 * interval.Low:0.0} – {100 * interval.High:0.0}" : ""));
        }
        foreach (var (baseline, metrics) in report.Baselines) rows.Add(Row(baseline.Replace('-', ' '), name => Value(metrics, name)));
        screen.Table([" ", .. names.Select(name => ">" + name)], rows);

        string[] Row(string title, Func<string, string> cell) => [$"  {title}", .. names.Select(cell)];
    }

    private static string Value(IReadOnlyDictionary<string, double> metrics, string name) => metrics.TryGetValue(name, out var value) ? Show.Percent(value) : "–";
}
