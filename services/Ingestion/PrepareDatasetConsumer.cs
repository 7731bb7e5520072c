using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using MassTransit;

namespace DmlPipeline.Ingestion;

/// <summary>PrepareDataset in; a job for the preparation worker.</summary>
public sealed class PrepareDatasetConsumer(Database database) : IConsumer<PrepareDataset>
{
    public Task Consume(ConsumeContext<PrepareDataset> context) => database.Once(context, this, (transaction, message) =>
        transaction.Enqueue(PreparationWorker.Kind, message.DropId));
}
