using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Evaluation.Report;

/// <summary>Writes self-contained HTML pages: no script, no external resource, light and dark as the reader prefers.</summary>
public static class ReportPage
{
    private static readonly (string Key, string Name, string Meaning)[] Metrics =
    [
        ("recall@1", "Recall@1", "the nearest image is of the same class"),
        ("map@r", "MAP@R", "how purely the class's images come first"),
        ("r-precision", "R-precision", "share of the class among as many nearest"),
        ("nmi", "NMI", "how well clusters agree with classes"),
        ("recall@2", "Recall@2", "one of the 2 nearest is right"),
        ("recall@4", "Recall@4", "one of the 4 nearest is right"),
        ("recall@8", "Recall@8", "one of the 8 nearest is right"),
    ];

    /// <summary>The report on one evaluated model.</summary>
    public static void Write(TextWriter output, ReportFacts facts)
    {
        var html = new HtmlWriter(output);
        WriteHead(html, $"{facts.Model}: evaluation");
        WriteHeader(html, facts);
        WriteTiles(html, facts.Evaluation);
        WriteCurves(html, facts.Epochs);
        foreach (var part in facts.Gallery) GalleryHtml.Write(html, part);
        NumbersHtml.Write(html, facts.Evaluation);
        WriteDetails(html, facts.Details);
        html.Markup("</main></body></html>\n");
    }

    /// <summary>A page of a gallery alone, as for the results of a search.</summary>
    public static void WriteGallery(TextWriter output, string title, GalleryPart part)
    {
        var html = new HtmlWriter(output);
        WriteHead(html, title);
        html.Write($"""<header><p class="over">Search</p><h1>{title}</h1></header>""");
        GalleryHtml.Write(html, part);
        html.Markup("</main></body></html>\n");
    }

    private static void WriteHead(HtmlWriter html, string title)
    {
        // The policy makes sure of what the page promises: it loads nothing and runs nothing.
        html.Write($"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
            <meta name="color-scheme" content="light dark"><title>{title}</title><style>
            """);
        html.Markup(ReportStyle.Css);
        html.Markup("</style></head><body><main>");
    }

    private static void WriteHeader(HtmlWriter html, ReportFacts facts)
    {
        var report = facts.Evaluation;
        html.Write($"""<header><p class="over">Evaluation</p><h1>{facts.Model}</h1><p class="sub">{facts.Dataset}""");
        html.Write($""" · {report.Images:#,0} images of {report.Classes:#,0} classes that the model has never seen""");
        if (facts.Created is { } created) html.Write($""" · {created.UtcDateTime:yyyy-MM-dd HH:mm} UTC""");
        html.Markup("</p>");
        if (report.Metrics.TryGetValue("recall@1", out var recall))
        {
            html.Write($"""<p class="verdict">For <b>{recall * 100:0.0} %</b> of {report.Queries:#,0} queries the nearest other image is of the same class""");
            if (report.Baselines.TryGetValue(EvaluationReport.RawPixels, out var raw) && raw.TryGetValue("recall@1", out var rawRecall))
                html.Write($"""; comparing raw pixels manages {rawRecall * 100:0.0} %""");
            html.Markup(".</p>");
        }
        html.Markup("</header>");
    }

    private static void WriteTiles(HtmlWriter html, EvaluationReport report)
    {
        html.Markup("""<section class="tiles" aria-label="Metrics">""");
        foreach (var (key, name, meaning) in Metrics)
        {
            if (!report.Metrics.TryGetValue(key, out var value)) continue;
            html.Write($"""<div class="tile"><h3>{name}</h3><p class="value">{value * 100:0.0}<small> %</small></p><p class="meaning">{meaning}</p>""");
            if (report.Intervals is { } intervals && intervals.TryGetValue(key, out var interval))
                html.Write($"""<p class="range">{Level(report)} {interval.Low * 100:0.0} – {interval.High * 100:0.0}</p>""");
            WriteBar(html, "this model", value, "model");
            foreach (var (baseline, metrics) in report.Baselines)
                if (metrics.TryGetValue(key, out var other)) WriteBar(html, Spoken(baseline), other, "base");
            html.Markup("</div>");
        }
        html.Markup("</section>");
    }

    private static void WriteBar(HtmlWriter html, string name, double value, string kind) => html.Write(
        $"""<div class="bar {kind}"><span class="name">{name}</span><span class="track"><i style="width:{Math.Clamp(value, 0, 1) * 100:0.0}%"></i></span><span class="num">{value * 100:0.0}</span></div>""");

    private static void WriteCurves(HtmlWriter html, IReadOnlyList<EpochPoint> epochs)
    {
        if (epochs.Count == 0) return;
        html.Markup("""<section><h2>Training</h2><div class="charts">""");
        new LineChart("Mean loss per epoch", [.. epochs.Select(e => ((double)e.Epoch, e.Loss))]).Write(html);
        // The model is of the epoch with the best MAP@R.
        new LineChart("Recall@1 on the validation classes", Validation(epochs, e => e.ValidationRecallAt1)) { Format = "0.#' %'", Line = "b", Highest = 100 }.Write(html);
        new LineChart("MAP@R on the validation classes", Validation(epochs, e => e.ValidationMapAtR)) { Format = "0.#' %'", Line = "b", Highest = 100, MarksBest = true }.Write(html);
        WriteDiagnostics(html, epochs);
        html.Markup("</div></section>");
    }

    /// <summary>What batches looked like to the loss, where the run noted it.</summary>
    private static void WriteDiagnostics(HtmlWriter html, IReadOnlyList<EpochPoint> epochs)
    {
        Write("Share of the loss's terms that still teach", e => e.ActiveFraction * 100, 100, "0.#' %'", "a");
        Write("Mean cosine within a class, in batches", e => e.PositiveSimilarity, 1, "0.##", "b");
        Write("Mean cosine between classes, in batches", e => e.NegativeSimilarity, 1, "0.##", "a");

        void Write(string title, Func<EpochPoint, double?> value, double highest, string format, string line)
        {
            (double, double)[] points = [.. epochs.Where(e => value(e) is not null).Select(e => ((double)e.Epoch, value(e)!.Value))];
            if (points.Length > 0) new LineChart(title, points) { Format = format, Line = line, Highest = highest }.Write(html);
        }
    }

    private static (double, double)[] Validation(IReadOnlyList<EpochPoint> epochs, Func<EpochPoint, double?> metric) =>
        [.. epochs.Where(e => metric(e) is not null).Select(e => ((double)e.Epoch, metric(e)!.Value * 100))];

    private static void WriteDetails(HtmlWriter html, IReadOnlyList<(string Name, string Value)> details)
    {
        if (details.Count == 0) return;
        html.Markup("""<section><h2>How it was made</h2><dl>""");
        foreach (var (name, value) in details) html.Write($"<div><dt>{name}</dt><dd>{value}</dd></div>");
        html.Markup("</dl></section>");
    }

    private static string Level(EvaluationReport report) => $"{(report.IntervalSettings?.Level ?? 0.95) * 100:0.#} % interval";

    internal static string Spoken(string baseline) => baseline.Replace('-', ' ');
}
