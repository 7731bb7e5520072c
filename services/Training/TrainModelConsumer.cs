using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using MassTransit;

namespace DmlPipeline.Training;

/// <summary>TrainModel in; a run and its job, once per run id. Training itself is the worker's: it outlasts any message.</summary>
public sealed class TrainModelConsumer(Database database) : IConsumer<TrainModel>
{
    public Task Consume(ConsumeContext<TrainModel> context) => database.Once(context, this, async (transaction, message) =>
    {
        await transaction.AddRun(message, RecipeFile.Hash(RecipeFile.Parse(message.Recipe, $"the recipe of run {message.RunId}")));
        await transaction.Enqueue(TrainingWorker.Kind, message.RunId);
    });
}
