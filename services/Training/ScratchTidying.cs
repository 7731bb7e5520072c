using DmlPipeline.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Training;

/// <summary>Deletes scratch folders of runs that have ended: a worker died over them, or lost them to another. What must last is in the store.</summary>
public sealed class ScratchTidying(Database database, IOptions<TrainingOptions> options, ILogger<ScratchTidying> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Tidy(stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                logger.NotTidied(e, options.Value.WorkFolder);
            }
            await Task.Delay(Every, stoppingToken);
        }
    }

    public async Task Tidy(CancellationToken cancel)
    {
        var work = new DirectoryInfo(options.Value.WorkFolder);
        if (!work.Exists) return;
        foreach (var folder in work.EnumerateDirectories())
        {
            var ended = await database.QueryOne<string>(
                "select id from jobs where kind = @Kind and subject = @run and state in ('done', 'failed', 'cancelled')", new { TrainingWorker.Kind, run = RunFolder.RunOf(folder) }, cancel);
            if (ended is not null && !RunFolder.IsHeld(folder)) folder.Delete(recursive: true);
        }
    }
}
