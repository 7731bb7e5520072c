using System.Collections.Concurrent;
using System.Diagnostics;
using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using Microsoft.Extensions.DependencyInjection;
using MassTransit;

namespace DmlPipeline.Tests.Services.Hosting;

public sealed class TraceTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly ConcurrentQueue<Activity> spans = new();
    private readonly ActivityListener listener;

    public TraceTests()
    {
        listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "DmlPipeline" or "MassTransit",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
    }

    public void Dispose()
    {
        listener.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task One_trace_leads_through_outbox_message_consumer_and_job()
    {
        await using var host = await TestHost.Start(folder, bus => bus.AddConsumer<DropConsumer>(), services => services.AddSingleton(new Deliveries()));
        ActivityTraceId trace;
        using (var begin = Tracing.Source.StartActivity("a drop settles"))
        {
            trace = begin.ShouldNotBeNull().TraceId;
            await host.Database.Write(transaction => transaction.Publish(new PrepareDataset("a", "birds")), default);
        }
        await Eventually.Holds(async () => await DropConsumer.Effects(host.Database, "a") == 1, "the message had its effect");

        var job = (await host.Database.Lease("prepare", "worker", TimeSpan.FromMinutes(1), default)).ShouldNotBeNull();

        ActivityContext.Parse(job.Trace.ShouldNotBeNull(), null).TraceId.ShouldBe(trace);
        var own = spans.Where(span => span.TraceId == trace).Select(span => span.DisplayName).ToList();
        own.ShouldContain("send PrepareDataset");
        own.ShouldContain(name => name.Contains("DropConsumer", StringComparison.OrdinalIgnoreCase) || name.Contains("process", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_job_that_is_taken_over_goes_on_in_its_trace()
    {
        using var database = await folder.OpenDatabase();
        ActivityTraceId trace;
        using (var begin = Tracing.Source.StartActivity("asked for"))
        {
            trace = begin!.TraceId;
            await database.Write(transaction => transaction.Enqueue("train", "a"), default);
        }

        for (var attempt = 0; attempt < 2; attempt++)
        {
            ActivityTraceId? seen = null;
            await using var worker = new TestWorker(database, async (job, _) =>
            {
                seen = Activity.Current?.TraceId;
                await database.Release(job, TimeSpan.Zero, error: null, default);
            }, TimeSpan.FromMinutes(1));
            await worker.StartAsync(default);
            await Eventually.Holds(() => seen is not null, "the job ran");
            seen.ShouldBe(trace);
        }
    }
}
