using System.Globalization;
using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using Microsoft.Extensions.Logging;
using Quartz;

namespace DmlPipeline.Scheduling;

/// <summary>
/// What a schedule does when its time comes: it publishes TrainModel for the dataset's latest version. Two schedulers may both see a time
/// come; the row of that time lets one of them ask.
/// </summary>
public sealed class AskForTraining(Database database, ILogger<AskForTraining> logger) : IJob
{
    internal const string Recipe = "recipe";

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        var dataset = context.Trigger.Key.Name;
        var time = context.ScheduledFireTimeUtc ?? context.FireTimeUtc;
        using var activity = Tracing.Source.StartActivity($"schedule {dataset}");
        await Ask(dataset, time, context.MergedJobDataMap.GetString(Recipe) ?? "", cancellationToken);
    }

    internal async Task Ask(string dataset, DateTimeOffset time, string recipe, CancellationToken cancel)
    {
        var asked = await database.Write(async transaction =>
        {
            var version = await transaction.QueryOne<int?>("select max(version) from dataset_versions where dataset = @dataset", new { dataset });
            var train = version is null ? null : Train(dataset, version.Value, time, recipe);
            var isFirst = await transaction.Execute(
                """
                insert into schedule_fires (dataset, fire_time, train_json, fired_at) values (@dataset, @time, @train, @now) on conflict do nothing
                """,
                new
                {
                    dataset, time = time.ToUnixTimeMilliseconds(), now = Database.Now,
                    train = train is null ? null : JsonSerializer.Serialize(train, ContractJson.Compact),
                }) == 1;
            if (isFirst && train is not null) await transaction.Publish(train);
            return isFirst ? train?.RunId ?? "" : null;
        }, cancel);
        if (asked is null) logger.AskedElsewhere(dataset, time);
        else if (asked.Length == 0) logger.NothingToTrainOn(dataset, time);
        else logger.Asked(dataset, time, asked);
    }

    private static TrainModel Train(string dataset, int version, DateTimeOffset time, string recipe)
    {
        var utc = time.UtcDateTime.ToString("yyyyMMdd't'HHmmss", CultureInfo.InvariantCulture);
        return new TrainModel($"{dataset}-v{version}-{utc}", dataset, version, recipe, "schedule", $"its schedule said so at {time.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");
    }
}
