using System.Text;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using DmlPipeline.Storage.Work;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace DmlPipeline.Hosting.Observability;

/// <summary><c>/metrics</c> for Prometheus: what this process measured, and what waits in the database, by which autoscalers go.</summary>
public static class MetricsEndpoint
{
    public static IServiceCollection AddPipelineMetrics(this IServiceCollection services) => services.AddSingleton<PrometheusMetrics>();

    public static void MapPipelineMetrics(this IEndpointRouteBuilder routes)
    {
        // Measured from the start on, not from the first time that somebody asks.
        routes.ServiceProvider.GetRequiredService<PrometheusMetrics>();
        routes.MapGet("/metrics", async (PrometheusMetrics metrics, Database database, IEnumerable<TroubleSource> sources, CancellationToken cancel) =>
            Results.Text(metrics.Render() + await Waiting(database, sources, cancel), "text/plain; version=0.0.4; charset=utf-8", Encoding.UTF8));
    }

    private static async Task<string> Waiting(Database database, IEnumerable<TroubleSource> sources, CancellationToken cancel)
    {
        var now = Database.Now;
        var jobs = (await database.Query<(string Kind, string State, long Count, long Oldest)>(
            "select kind, state, count(*) as count, min(created_at) as oldest from jobs group by kind, state order by kind, state", null, cancel)).ToList();
        var (unsent, oldest) = await database.QueryOne<(long, long?)>("select count(*), min(created_at) from outbox where sent_at is null", null, cancel);

        var text = new StringBuilder();
        text.Append("# HELP dml_jobs Jobs in the database, of all processes.\n# TYPE dml_jobs gauge\n");
        foreach (var row in jobs) PrometheusMetrics.Line(text, "dml_jobs", $"kind=\"{row.Kind}\",state=\"{row.State}\"", row.Count);
        text.Append("# HELP dml_jobs_oldest_queued_seconds Age of the job that waits longest.\n# TYPE dml_jobs_oldest_queued_seconds gauge\n");
        foreach (var row in jobs.Where(row => row.State == "queued"))
            PrometheusMetrics.Line(text, "dml_jobs_oldest_queued_seconds", $"kind=\"{row.Kind}\"", (now - row.Oldest) / 1000.0);
        text.Append("# HELP dml_workers Workers that are there, of all processes.\n# TYPE dml_workers gauge\n");
        foreach (var group in (await database.Workers(cancel)).GroupBy(worker => (worker.Kind, State: !worker.HasDevice ? "without-device" : worker.JobId is null ? "free" : "busy")).OrderBy(group => group.Key))
            PrometheusMetrics.Line(text, "dml_workers", $"kind=\"{group.Key.Kind}\",state=\"{group.Key.State}\"", group.Count());
        text.Append("# HELP dml_outbox_unsent Messages that wait to be sent.\n# TYPE dml_outbox_unsent gauge\n");
        PrometheusMetrics.Line(text, "dml_outbox_unsent", "", unsent);
        text.Append("# HELP dml_outbox_oldest_unsent_seconds Age of the oldest of them.\n# TYPE dml_outbox_oldest_unsent_seconds gauge\n");
        PrometheusMetrics.Line(text, "dml_outbox_oldest_unsent_seconds", "", oldest is null ? 0 : (now - oldest.Value) / 1000.0);
        var troubles = await Troubles.All(database, new TroubleLimits(), now, cancel, sources);
        text.Append("# HELP dml_troubles Things that a person should look at; GET /api/troubles of the registry says which.\n# TYPE dml_troubles gauge\n");
        foreach (var kind in Troubles.Kinds) PrometheusMetrics.Line(text, "dml_troubles", $"kind=\"{kind}\"", troubles.Count(trouble => trouble.Kind == kind));
        return text.ToString();
    }
}
