using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Hosting.Messaging;
using DmlPipeline.Storage;
using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DmlPipeline.Hosting;

/// <summary>
/// Sends what transactions have left in the outbox. Every process does; each message is claimed by one of them. It may be sent twice
/// when the process dies between sending and noting so; the inbox of each consumer makes that harmless.
/// </summary>
public sealed class OutboxDispatcher(Database database, IBus bus, BusSettings settings, ILogger<OutboxDispatcher> logger) : BackgroundService
{
    private const int BatchSize = 200;
    private const int LongestSummary = 120;

    // A broker confirms what is on its disks: in turn that makes a hundred messages a second, side by side thousands. In memory there
    // is nothing to wait for, and messages stay in order.
    private const int AtOnceToBroker = 64;

    // Longer than a batch takes, shorter than anyone would wait for the messages of a process that died with its claim.
    private static readonly TimeSpan ClaimFor = TimeSpan.FromSeconds(20);

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
        var messages = await database.Claim(BatchSize, ClaimFor, cancel);
        var done = new ConcurrentDictionary<long, bool>();
        var together = new ParallelOptions { MaxDegreeOfParallelism = settings.IsMemory ? 1 : AtOnceToBroker, CancellationToken = cancel };
        try
        {
            await Parallel.ForEachAsync(messages, together, async (message, stop) =>
            {
                await Send(message, stop);
                done[message.Id] = true;
            });
        }
        finally
        {
            // Also when the bus fails half way: what it took must not be sent with every attempt to send the rest.
            if (!done.IsEmpty) await database.MarkSent([.. done.Keys], CancellationToken.None);
            if (done.Count < messages.Count)
                await database.Unclaim([.. messages.Select(message => message.Id).Where(id => !done.ContainsKey(id))], CancellationToken.None);
        }
        return messages.Count;
    }

    private async Task Send(OutboxMessage message, CancellationToken cancel)
    {
        if (Read(message) is not { } body) return;
        using var activity = Tracing.Source.StartActivity($"send {message.Type}", ActivityKind.Producer, message.Trace);
        await bus.Publish(body, body.GetType(), context => context.MessageId = Guid.Parse(message.MessageId), cancel);
        logger.Published(message.Type, Summary(message.BodyJson));
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
