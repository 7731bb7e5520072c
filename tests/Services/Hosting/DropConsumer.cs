using System.Collections.Concurrent;
using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Hosting.Messaging;
using DmlPipeline.Storage;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace DmlPipeline.Tests.Services.Hosting;

/// <summary>What was delivered, and what to do about a drop instead of taking it.</summary>
internal sealed class Deliveries
{
    public ConcurrentQueue<string> Drops { get; } = new();

    public Func<string, Exception?> Fail { get; init; } = _ => null;

    /// <summary>Deliveries wait for it before they have their effect.</summary>
    public TaskCompletionSource? Hold { get; init; }

    public int Of(string drop) => Drops.Count(delivered => delivered == drop);
}

/// <summary>A consumer like those of the services: a job per drop, inside the inbox transaction.</summary>
internal sealed class DropConsumer(Database database, Deliveries deliveries) : IConsumer<PrepareDataset>
{
    public const string Queue = "prepare-dataset";

    /// <summary>A process that takes drops from the broker's queue.</summary>
    public static Task<TestHost> Serve(TemporaryFolder folder, BusSettings bus, Deliveries deliveries) =>
        TestHost.Start(folder, x => x.AddConsumer<DropConsumer>().Endpoint(endpoint => endpoint.Name = Queue), services => services.AddSingleton(deliveries), bus);

    public async Task Consume(ConsumeContext<PrepareDataset> context)
    {
        deliveries.Drops.Enqueue(context.Message.DropId);
        if (deliveries.Hold is { } hold) await hold.Task.WaitAsync(context.CancellationToken);
        await database.Once(context, this, Take);
    }

    private async Task Take(Transaction transaction, PrepareDataset message)
    {
        // Every effect is visible: a second one raises the priority.
        await transaction.Enqueue("prepare", message.DropId);
        await transaction.Execute("update jobs set priority = priority + 1 where subject = @DropId", new { message.DropId });
        if (deliveries.Fail(message.DropId) is { } error) throw error;
    }

    public static async Task<int> Effects(Database database, string drop) =>
        await database.QueryOne<int>("select coalesce(max(priority), 0) from jobs where subject = @drop", new { drop }, default);
}
