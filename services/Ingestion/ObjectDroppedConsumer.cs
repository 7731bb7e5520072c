using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using MassTransit;

namespace DmlPipeline.Ingestion;

/// <summary>ObjectDropped in; the objects are remembered until their drop settles. The same object, seen twice, is one row.</summary>
public sealed class ObjectDroppedConsumer(Database database) : IConsumer<ObjectDropped>
{
    public Task Consume(ConsumeContext<ObjectDropped> context) => database.Once(context, this, async (transaction, message) =>
    {
        foreach (var item in message.Objects)
            await transaction.RememberObject(message.Dataset, item.Key, item.ETag, item.Bytes);
    });
}
