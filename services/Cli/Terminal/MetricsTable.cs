using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Cli.Terminal;

/// <summary>A model's metrics beside those of the baselines.</summary>
internal static class MetricsTable
{
    public static void Print(Screen screen, EvaluationReport report, IReadOnlyList<string>? only = null)
    {
        var names = report.Metrics.Keys.Where(name => only is null || only.Contains(name, StringComparer.Ordinal)).ToList();
        var rows = report.Baselines.Select(baseline => (Name: baseline.Key.Replace('-', ' '), Metrics: baseline.Value)).Prepend((Name: "this model", Metrics: report.Metrics));
        screen.Table([" ", .. names.Select(name => ">" + name)], rows.Select(row => (string[])
            [$"  {row.Name}", .. names.Select(name => row.Metrics.TryGetValue(name, out var value) ? Show.Percent(value) : "–")]));
    }
}
