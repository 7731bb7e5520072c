using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Storage;
using MassTransit;

namespace DmlPipeline.Training;

/// <summary>TrainModel in; a run and its job, once per run id. Training itself is the worker's: it outlasts any message.</summary>
public sealed class TrainModelConsumer(Database database) : IConsumer<TrainModel>
{
    public Task Consume(ConsumeContext<TrainModel> context) => database.Once(context, this, async (transaction, message) =>
    {
        await transaction.Execute(
            """
            insert into runs (id, dataset, dataset_version, recipe_json, recipe_hash, requested_by, reason, state, created_at)
            values (@RunId, @Dataset, @DatasetVersion, @Recipe, @hash, @RequestedBy, @Reason, 'queued', @now) on conflict do nothing
            """,
            new
            {
                message.RunId, message.Dataset, message.DatasetVersion, message.Recipe, message.RequestedBy, message.Reason, now = Database.Now,
                hash = RecipeFile.Hash(RecipeFile.Parse(message.Recipe, $"the recipe of run {message.RunId}")),
            });
        await transaction.Enqueue(TrainingWorker.Kind, message.RunId);
    });
}
