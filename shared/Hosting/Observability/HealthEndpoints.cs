using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace DmlPipeline.Hosting.Observability;

/// <summary><c>/health/live</c>: the process runs. <c>/health/ready</c>: it can work, with bus, store and database one by one.</summary>
public static class HealthEndpoints
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static IServiceCollection AddPipelineHealth(this IServiceCollection services)
    {
        // The bus registers its own check.
        services.AddHealthChecks()
            .AddCheck<DatabaseCheck>("database", timeout: Patience)
            .AddCheck<StoreCheck>("store", timeout: Patience)
            .AddCheck<StoppingCheck>("process");
        return services;
    }

    public static void MapPipelineHealth(this IEndpointRouteBuilder routes)
    {
        // Nothing that another server's failure could make false: restarting this process would not mend that.
        routes.MapGet("/health/live", () => "live");
        routes.MapHealthChecks("/health/ready", new HealthCheckOptions { ResponseWriter = Write });
    }

    private static Task Write(HttpContext context, HealthReport report)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(JsonSerializer.Serialize(new
        {
            status = report.Status == HealthStatus.Healthy ? "ready" : "not ready",
            checks = report.Entries.ToDictionary(
                entry => entry.Key,
                entry => new
                {
                    status = entry.Value.Status == HealthStatus.Healthy ? "ready" : "not ready",
                    reason = entry.Value.Status == HealthStatus.Healthy ? null : entry.Value.Exception?.Message ?? entry.Value.Description,
                },
                StringComparer.Ordinal),
        }, ContractJson.Indented), context.RequestAborted);
    }

    private sealed class DatabaseCheck(Database database) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            await database.QueryOne<int>("select 1", arguments: null, cancellationToken);
            return HealthCheckResult.Healthy();
        }
    }

    private sealed class StoreCheck(IArtifactStore store) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            // Whether it is there is no matter: the store has answered.
            await store.Find("health", cancellationToken);
            return HealthCheckResult.Healthy();
        }
    }

    /// <summary>A process that is about to end takes no more requests.</summary>
    private sealed class StoppingCheck(IHostApplicationLifetime lifetime) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(lifetime.ApplicationStopping.IsCancellationRequested ? HealthCheckResult.Unhealthy("stopping") : HealthCheckResult.Healthy());
    }
}
