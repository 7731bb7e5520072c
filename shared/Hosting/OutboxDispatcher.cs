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
    private const int LongestSummary = 120;

    // Other processes (the command line) fill the outbox too, so a signal from this process is not enough.
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan PauseAfterError = TimeSpan.FromSeconds(2);

    private static readonly Dictionary<string, Type> MessageTypes = typeof(TrainModel).Assembly.GetTypes()
        .Where(type => type.Namespace == typeof(TrainModel).Namespace && type.IsSealed && !type.IsAbstract)
        .ToDictionary(type => type.Name, StringComparer.Ordinal);

    private readonly SemaphoreSlim filled = new(0, 1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        database.OutboxFilled = Wake;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (await SendBatch(stoppingToken) < BatchSize) await filled.WaitAsync(Poll, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                logger.OutboxFailed(e);
                await Task.Delay(PauseAfterError, stoppingToken);
            }
        }
    }

    private void Wake()
    {
        try
        {
            filled.Release();
        }
        catch (Exception e) when (e is SemaphoreFullException or ObjectDisposedException)
        {
            // The dispatcher is called for already, or it has gone and its successor will look by itself.
        }
    }

    private async Task<int> SendBatch(CancellationToken cancel)
    {
        var messages = await database.Unsent(BatchSize, cancel);
        var done = new List<long>(messages.Count);
        try
        {
            foreach (var message in messages)
            {
                if (Read(message) is { } body)
                {
                    await bus.Publish(body, body.GetType(), context => context.MessageId = Guid.Parse(message.MessageId), cancel);
                    logger.Published(message.Type, Summary(message.BodyJson));
                }
                done.Add(message.Id);
            }
        }
        finally
        {
            // Also when the bus fails half way: what it took must not be sent with every attempt to send the rest.
            if (done.Count > 0) await database.MarkSent(done, CancellationToken.None);
        }
        return messages.Count;
    }

    /// <summary>The beginning names what a message is about; a recipe or a list of a thousand objects would only hide it.</summary>
    private static string Summary(string body) => body.Length <= LongestSummary ? body : string.Concat(body.AsSpan(0, LongestSummary), "…");

    /// <summary>Null for a message that this program cannot read, such as a newer version's: it must not hold up those behind it.</summary>
    private object? Read(OutboxMessage message)
    {
        try
        {
            return JsonSerializer.Deserialize(message.BodyJson, MessageTypes[message.Type], ContractJson.Compact);
        }
        catch (Exception e) when (e is KeyNotFoundException or JsonException)
        {
            logger.Unreadable(e, message.Type, message.BodyJson);
            return null;
        }
    }

    public override void Dispose()
    {
        if (database.OutboxFilled == Wake) database.OutboxFilled = null;
        filled.Dispose();
        base.Dispose();
    }
}
