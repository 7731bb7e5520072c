using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using MassTransit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Training;

/// <summary>DatasetReady in; one decision per dataset version, and TrainModel when it is yes.</summary>
public sealed class DecideTrainingConsumer(Database database, IOptions<TrainingOptions> options, ILogger<DecideTrainingConsumer> logger) : IConsumer<DatasetReady>
{
    public Task Consume(ConsumeContext<DatasetReady> context) => database.Once(context, this, async (transaction, message) =>
    {
        var row = await transaction.QueryOne<DatasetVersionRow>(
            "select * from dataset_versions where dataset = @Dataset and version = @Version", new { message.Dataset, message.Version });
        if (row is null) throw new PermanentException($"There is no dataset {message.Dataset} v{message.Version}.");

        var decision = RetrainingPolicy.Decide(row.Manifest, options.Value);
        var isFirst = await transaction.Execute(
            """
            insert into training_decisions (dataset, version, run_id, reason, decided_at)
            values (@Dataset, @Version, @RunId, @Reason, @now) on conflict do nothing
            """,
            new { message.Dataset, message.Version, decision.Train?.RunId, decision.Reason, now = Database.Now }) == 1;
        if (!isFirst) return;
        logger.Decided(message.Dataset, message.Version, decision.Train is null ? "no training" : "training", decision.Reason);
        if (decision.Train is not { } train) return;
        var recipe = RecipeFile.Parse(train.Recipe, $"the recipe of run {train.RunId}");
        await transaction.AddRun(train, RecipeFile.Hash(recipe), recipe.Needs);
        await transaction.Publish(train);
    });
}
