using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using MassTransit;

namespace DmlPipeline.Training;

/// <summary>DatasetReady in; one decision per dataset version, and TrainModel when it is yes.</summary>
public sealed class DecideTrainingConsumer(Database database, TrainingDecisions decisions) : IConsumer<DatasetReady>
{
    public Task Consume(ConsumeContext<DatasetReady> context) => database.Once(context, this, (transaction, message) => decisions.Open(
        transaction,
        new DecisionRow
        {
            Id = $"{message.Dataset}-v{message.Version}", Dataset = message.Dataset, Version = message.Version, Cause = "new-data", Recipe = "", State = "waiting", Reason = "a new version",
        },
        forced: false));
}
