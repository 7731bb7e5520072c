using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using MassTransit;

namespace DmlPipeline.Ingestion;

/// <summary>ObjectDropped in; the objects are remembered until their drop settles. The same object, seen twice, is one row.</summary>
public sealed class ObjectDroppedConsumer(Database database) : IConsumer<ObjectDropped>
{
    public Task Consume(ConsumeContext<ObjectDropped> context) => database.Once(context, this, (transaction, message) =>
        transaction.RememberObjects(message.Dataset, message.Objects.Select(item => (item.Key, item.ETag, item.Bytes))));
}
