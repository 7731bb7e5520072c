using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using MassTransit;

namespace DmlPipeline.Ingestion;

/// <summary>ObjectDropped in; the objects are remembered until their drop settles. The same object, seen twice, is one row.</summary>
public sealed class ObjectDroppedConsumer(Database database) : IConsumer<ObjectDropped>
{
    public Task Consume(ConsumeContext<ObjectDropped> context) => database.Once(context, this, async (transaction, message) =>
    {
        foreach (var item in message.Objects)
            await transaction.Execute(
                "insert into inbox_objects (key, etag, dataset, bytes, seen_at) values (@Key, @ETag, @Dataset, @Bytes, @now) on conflict do nothing",
                new { item.Key, item.ETag, message.Dataset, item.Bytes, now = Database.Now });
    });
}
