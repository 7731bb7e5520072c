using System.Net;
using System.Text;
using DmlPipeline.Hosting;
using DmlPipeline.Hosting.Observability;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace DmlPipeline.Tests.Services.Hosting;

public sealed class TraceExportTests
{
    [Fact]
    public async Task Spans_reach_the_collector_under_the_processs_name_before_it_ends()
    {
        var received = new TaskCompletionSource<(string Path, string Body)>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        await using var collector = builder.Build();
        collector.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            received.TrySetResult((context.Request.Path, Encoding.UTF8.GetString(body.ToArray())));
        });
        await collector.StartAsync();

        var process = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        process.Services.AddTraceExport("dml-test", new Uri($"{collector.Urls.Single()}/v1/traces"));
        using (var host = process.Build())
        {
            await host.StartAsync();
            Tracing.Source.StartActivity("a step of the pipeline").ShouldNotBeNull().Dispose();
            await host.StopAsync();
        }

        var (path, text) = await received.Task.WaitAsync(TimeSpan.FromSeconds(30));
        path.ShouldBe("/v1/traces");
        text.ShouldContain("dml-test");
        text.ShouldContain("a step of the pipeline");
    }
}
