using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using MassTransit;

namespace DmlPipeline.Evaluation;

/// <summary>ModelTrained in; a job for the evaluation worker.</summary>
public sealed class EvaluateModelConsumer(Database database) : IConsumer<ModelTrained>
{
    public Task Consume(ConsumeContext<ModelTrained> context) => database.Once(context, this, (transaction, message) =>
        transaction.Enqueue(EvaluationWorker.Kind, message.RunId));
}
