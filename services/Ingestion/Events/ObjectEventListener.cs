using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Threading.Channels;
using DmlPipeline.Hosting;
using DmlPipeline.Hosting.Messaging;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;
using DmlPipeline.Storage.S3.Events;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace DmlPipeline.Ingestion.Events;

/// <summary>
/// Looks at once at the objects that the store's events name. An event is a hint and no more: it may be late, doubled, lost or forged, so
/// what counts is what the store has at that place now; and whatever no event tells of, the <see cref="InboxLister"/> finds.
/// </summary>
public sealed class ObjectEventListener(EventSettings settings, BusSettings bus, IArtifactStore store, DroppedObjects dropped, ILogger<ObjectEventListener> logger) : BackgroundService
{
    private const int TakenAtOnce = 256;
    private const int LookedAtTogether = 16;

    private static readonly TimeSpan ConnectAgain = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RegisterAgain = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan ComplainAgain = TimeSpan.FromMinutes(1);

    private static readonly Counter<long> Events =
        new Meter("DmlPipeline").CreateCounter<long>("dml.object.events", description: "Objects named by the store's events, by what came of it: new, known, gone, other, unreadable");

    private readonly S3Store bucket = (S3Store)store;
    private bool isRegistered;
    private DateTime complained = DateTime.MinValue;

    /// <exception cref="SettingException">Events are required, and broker or store do not let them be.</exception>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (settings.IsRequired)
            try
            {
                await using (await Connect(cancellationToken)) await Register(cancellationToken);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                throw new SettingException("events", $"they are required, and cannot be had: {e.Message}", e);
            }
        await base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(KeepListening(stoppingToken), KeepAsking(stoppingToken));

    private async Task KeepListening(CancellationToken stopping)
    {
        for (var pause = ConnectAgain; ; pause = pause < ComplainAgain ? pause * 2 : pause)
        {
            var begun = Stopwatch.GetTimestamp();
            try
            {
                await using var connection = await Connect(stopping);
                await Listen(connection, stopping);
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                logger.EventsInterrupted(e.Message);
            }
            if (Stopwatch.GetElapsedTime(begun) > ComplainAgain) pause = ConnectAgain;
            await Task.Delay(pause, stopping);
        }
    }

    private async Task KeepAsking(CancellationToken stopping)
    {
        while (!isRegistered)
        {
            try
            {
                await using (await Connect(stopping)) await Register(stopping);
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                logger.NoEvents(e.Message);
                await Task.Delay(RegisterAgain, stopping);
            }
        }
    }

    private async Task<IConnection> Connect(CancellationToken cancel)
    {
        var connection = await RabbitMqConnection.Open(bus, cancel);
        try
        {
            await EventQueue.Declare(connection, cancel);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task Register(CancellationToken cancel)
    {
        var target = new ObjectEventTarget { Arn = settings.Target, Broker = EventQueue.AddressOf(settings.Broker), Exchange = EventQueue.Name };
        await bucket.RegisterEvents(DroppedObjects.Inbox, target, cancel);
        isRegistered = true;
        logger.EventsRegistered(bucket.Settings.Bucket);
    }

    /// <summary>Ends when the broker, or an administrator, ends it.</summary>
    private async Task Listen(IConnection connection, CancellationToken stopping)
    {
        await using var channel = await connection.CreateChannelAsync(cancellationToken: stopping);
        await channel.BasicQosAsync(prefetchSize: 0, TakenAtOnce, global: false, stopping);
        var arrived = Channel.CreateUnbounded<(ulong Tag, IReadOnlyList<string> Keys)>(new UnboundedChannelOptions { SingleReader = true });
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, message) =>
        {
            arrived.Writer.TryWrite((message.DeliveryTag, Read(message.Body)));
            return Task.CompletedTask;
        };
        consumer.UnregisteredAsync += (_, _) => End("the queue was deleted");
        channel.ChannelShutdownAsync += (_, end) => End(end.ReplyText);
        await channel.BasicConsumeAsync(EventQueue.Name, autoAck: false, consumer, stopping);

        while (await arrived.Reader.WaitToReadAsync(stopping))
        {
            var keys = new HashSet<string>(StringComparer.Ordinal);
            var last = 0ul;
            while (arrived.Reader.TryRead(out var message))
            {
                keys.UnionWith(message.Keys);
                last = message.Tag;
            }
            await Look(keys, stopping);
            await channel.BasicAckAsync(last, multiple: true, stopping);
        }

        Task End(string reason)
        {
            arrived.Writer.TryComplete(new IOException(reason));
            return Task.CompletedTask;
        }
    }

    private IReadOnlyList<string> Read(ReadOnlyMemory<byte> body)
    {
        var message = ObjectEvents.Read(body, bucket.Settings.Bucket, DroppedObjects.Inbox);
        Count("other", message.Others);
        Count("unreadable", message.Unreadable);
        // Whoever sends rubbish may send much of it: the log is told now and then, the counter each time.
        if (message.Unreadable > 0 && DateTime.UtcNow - complained > ComplainAgain)
        {
            complained = DateTime.UtcNow;
            logger.UnreadableEvent(body.Length);
        }
        return message.Created;
    }

    /// <summary>Events of objects that cannot be looked at now are let go: holding them would only repeat the failure, and the next listing comes anyway.</summary>
    private async Task Look(HashSet<string> keys, CancellationToken stopping)
    {
        try
        {
            foreach (var some in keys.Chunk(TakenAtOnce))
            {
                var found = new ConcurrentBag<StoredObject>();
                await Parallel.ForEachAsync(some, new ParallelOptions { MaxDegreeOfParallelism = LookedAtTogether, CancellationToken = stopping }, async (key, cancel) =>
                {
                    if (await bucket.Find(key, cancel) is { } stored) found.Add(stored);
                });
                var isNew = await dropped.Announce([.. found], stopping);
                Count("new", isNew);
                Count("known", found.Count - isNew);
                Count("gone", some.Length - found.Count);
            }
        }
        catch (Exception e) when (!stopping.IsCancellationRequested)
        {
            logger.EventsNotFollowed(e);
        }
    }

    private static void Count(string outcome, int count)
    {
        if (count > 0) Events.Add(count, new KeyValuePair<string, object?>("outcome", outcome));
    }
}
