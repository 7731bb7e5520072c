using System.Collections.Concurrent;
using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using MassTransit;

namespace DmlPipeline.Tests.Services.Hosting;

/// <summary>What was delivered, and what to do about a drop instead of taking it.</summary>
internal sealed class Deliveries
{
    public ConcurrentQueue<string> Drops { get; } = new();

    public Func<string, Exception?> Fail { get; init; } = _ => null;

    public int Of(string drop) => Drops.Count(delivered => delivered == drop);
}

/// <summary>A consumer like those of the services: a job per drop, inside the inbox transaction.</summary>
internal sealed class DropConsumer(Database database, Deliveries deliveries) : IConsumer<PrepareDataset>
{
    public Task Consume(ConsumeContext<PrepareDataset> context) => database.Once(context, this, async (transaction, message) =>
    {
        deliveries.Drops.Enqueue(message.DropId);
        // Every effect is visible: a second one raises the priority.
        await transaction.Enqueue("prepare", message.DropId);
        await transaction.Execute("update jobs set priority = priority + 1 where subject = @DropId", new { message.DropId });
        if (deliveries.Fail(message.DropId) is { } error) throw error;
    });

    public static async Task<int> Effects(Database database, string drop) =>
        await database.QueryOne<int>("select coalesce(max(priority), 0) from jobs where subject = @drop", new { drop }, default);
}
