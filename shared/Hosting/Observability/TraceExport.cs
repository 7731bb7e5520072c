using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace DmlPipeline.Hosting.Observability;

/// <summary>Sends spans, the bus's and the pipeline's own, to an OpenTelemetry collector.</summary>
public static class TraceExport
{
    /// <param name="services">Of the process.</param>
    /// <param name="service">What the traces call this process, for example <c>dml-training</c>.</param>
    /// <param name="collector">OTLP over gRPC, usually port 4317; over HTTP when the port is 4318 or the address has a path.</param>
    public static IServiceCollection AddTraceExport(this IServiceCollection services, string service, Uri collector) =>
        services.AddSingleton<IHostedService>(_ => new Exporter(service, collector));

    private sealed class Exporter(string service, Uri collector) : IHostedService
    {
        private TracerProvider? provider;

        public Task StartAsync(CancellationToken cancellationToken)
        {
            var isHttp = collector.Port == 4318 || collector.AbsolutePath.Length > 1;
            provider = Sdk.CreateTracerProviderBuilder()
                .ConfigureResource(resource => resource.AddService(service, serviceInstanceId: $"{Environment.MachineName}/{Environment.ProcessId}"))
                .AddSource(Tracing.Source.Name, "MassTransit")
                .AddOtlpExporter(options =>
                {
                    options.Protocol = isHttp ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
                    options.Endpoint = isHttp && collector.AbsolutePath.Length <= 1 ? new Uri(collector, "/v1/traces") : collector;
                })
                .Build();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken)
        {
            // What is still to be sent may take a moment, not the time that work needs to be handed back.
            provider?.ForceFlush(2000);
            provider?.Dispose();
            return Task.CompletedTask;
        }
    }
}
