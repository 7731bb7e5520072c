using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Evaluation.Report;

/// <summary>Every number of a report in one table, and in words how they were come by.</summary>
internal static class NumbersHtml
{
    public static void Write(HtmlWriter html, EvaluationReport report)
    {
        html.Markup("""<section><h2>All numbers</h2><div class="scroll"><table><thead><tr><th scope="col">Metric</th><th scope="col">this model</th>""");
        if (report.Intervals is not null) html.Write($"""<th scope="col">{(report.IntervalSettings?.Level ?? 0.95) * 100:0.#} % interval</th>""");
        foreach (var baseline in report.Baselines.Keys) html.Write($"""<th scope="col">{ReportPage.Spoken(baseline)}</th>""");
        html.Markup("</tr></thead><tbody>");
        foreach (var (name, value) in report.Metrics)
        {
            html.Write($"""<tr><th scope="row">{name}</th><td>{value:0.0000}</td>""");
            if (report.Intervals is { } intervals)
            {
                if (intervals.TryGetValue(name, out var interval)) html.Write($"<td>{interval.Low:0.0000} – {interval.High:0.0000}</td>");
                else html.Markup("<td>–</td>");
            }
            foreach (var metrics in report.Baselines.Values)
            {
                if (metrics.TryGetValue(name, out var other)) html.Write($"<td>{other:0.0000}</td>");
                else html.Markup("<td>–</td>");
            }
            html.Markup("</tr>");
        }
        html.Markup("""</tbody></table></div><p class="note">""");
        foreach (var sentence in Notes(report)) html.Write($"{sentence} ");
        html.Markup("</p></section>");
    }

    private static IEnumerable<string> Notes(EvaluationReport report)
    {
        yield return report.Protocol is { HasRoles: true } ? $"Queries looked through a gallery of {report.GalleryImages:#,0} images." : "Every image is a query once, among all the others.";
        if (report.Protocol is { HasCameras: true }) yield return "Images of the query's class from its own camera were hidden from it.";
        yield return $"{report.Queries:#,0} queries were judged; {report.ExcludedQueries:#,0} had nothing to find and were left out.";
        if (report.Protocol?.ReRanking is { } reRanking) yield return $"Re-ranked by reciprocal neighbours, k1 {reRanking.K1}, k2 {reRanking.K2}, lambda {reRanking.Lambda}.";
        if (report.Protocol?.QueryExpansion is { } expansion) yield return $"Queries were averaged with their {expansion.Neighbours} nearest, alpha {expansion.Alpha}.";
        if (report.Protocol?.DatabaseAugmentation is { } augmentation) yield return $"Gallery images were averaged with their {augmentation.Neighbours} nearest, alpha {augmentation.Alpha}.";
        if (report.IntervalSettings is { } settings)
        {
            yield return $"Intervals: bootstrap over {(settings.Over == ResampledUnit.Classes ? "classes" : "queries")}, {settings.Resamples:#,0} draws, seed {settings.Seed}"
                + (settings.Over == ResampledUnit.Classes ? "; they say how far the numbers may be off on other classes of this kind." : ".");
        }
        foreach (var episode in report.Episodes ?? [])
            yield return $"{episode.Settings.Name}: {episode.Settings.Count:#,0} episodes, seed {episode.Settings.Seed}.";
        if (report.KMeans is { } kmeans)
            yield return $"Clusters: k-means with {kmeans.Clusters} clusters, {kmeans.Seeding}, best of {kmeans.Runs}, at most {kmeans.MaxIterations} iterations, seed {kmeans.Seed}; {kmeans.Normalisation} normalisation.";
    }
}
