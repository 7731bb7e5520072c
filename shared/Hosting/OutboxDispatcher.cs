using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Storage;
using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DmlPipeline.Hosting;

/// <summary>
/// Sends what transactions have left in the outbox, in order. It may send a message twice when the process dies between sending
/// and noting so; the inbox of each consumer makes that harmless.
/// </summary>
public sealed class OutboxDispatcher(Database database, IBus bus, ILogger<OutboxDispatcher> logger) : BackgroundService
{
    private const int BatchSize = 200;

    // Other processes (the command line) fill the outbox too, so a signal from this process is not enough.
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);

    private static readonly Dictionary<string, Type> MessageTypes = typeof(TrainModel).Assembly.GetTypes()
        .Where(type => type.Namespace == typeof(TrainModel).Namespace && type.IsSealed && !type.IsAbstract)
        .ToDictionary(type => type.Name, StringComparer.Ordinal);

    private readonly SemaphoreSlim filled = new(0, 1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        database.OutboxFilled = () =>
        {
            try
            {
                filled.Release();
            }
            catch (SemaphoreFullException)
            {
                // The dispatcher is already called for.
            }
        };
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (await SendBatch(stoppingToken) < BatchSize) await filled.WaitAsync(Poll, stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                logger.OutboxFailed(e);
                await Task.Delay(TimeSpan.FromSeconds(2), stoppingToken);
            }
        }
    }

    private async Task<int> SendBatch(CancellationToken cancel)
    {
        var messages = await database.Unsent(BatchSize, cancel);
        foreach (var message in messages)
        {
            var type = MessageTypes[message.Type];
            var body = JsonSerializer.Deserialize(message.BodyJson, type, ContractJson.Compact)!;
            await bus.Publish(body, type, context => context.MessageId = Guid.Parse(message.MessageId), cancel);
            logger.Published(message.Type, message.BodyJson);
        }
        if (messages.Count > 0) await database.MarkSent([.. messages.Select(message => message.Id)], cancel);
        return messages.Count;
    }

    public override void Dispose()
    {
        database.OutboxFilled = null;
        filled.Dispose();
        base.Dispose();
    }
}
