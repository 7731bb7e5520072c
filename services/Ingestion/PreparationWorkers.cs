using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Ingestion;

/// <summary>Several <see cref="PreparationWorker"/>s in one process: a small drop waits for store and database most of its time.</summary>
public sealed class PreparationWorkers(IServiceProvider services, IOptions<IngestionOptions> options) : IHostedService, IDisposable
{
    private readonly List<PreparationWorker> workers =
        [.. Enumerable.Range(0, options.Value.DropsAtOnce).Select(_ => ActivatorUtilities.CreateInstance<PreparationWorker>(services))];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var worker in workers) await worker.StartAsync(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(workers.Select(worker => worker.StopAsync(cancellationToken)));

    public void Dispose()
    {
        foreach (var worker in workers) worker.Dispose();
    }
}
