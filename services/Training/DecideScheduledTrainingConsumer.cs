using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using MassTransit;

namespace DmlPipeline.Training;

/// <summary>ScheduleFired in; one decision per fire, and TrainModel when it is yes.</summary>
public sealed class DecideScheduledTrainingConsumer(Database database, TrainingDecisions decisions) : IConsumer<ScheduleFired>
{
    public Task Consume(ConsumeContext<ScheduleFired> context) => database.Once(context, this, (transaction, message) =>
    {
        var time = message.Time.ToUnixTimeMilliseconds();
        return decisions.Open(
            transaction,
            new DecisionRow
            {
                Id = $"{message.Schedule}@{time}", Dataset = message.Dataset, Version = message.DatasetVersion, Cause = "schedule", Schedule = message.Schedule, FireTime = time,
                Recipe = message.Recipe, State = "waiting", Reason = message.Reason,
            },
            message.Force);
    });
}
