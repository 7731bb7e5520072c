using DmlPipeline.Hosting.Messaging;
using RabbitMQ.Client;

namespace DmlPipeline.Ingestion.Events;

/// <summary>Where the store's events wait for whichever ingestion process takes them. They are not messages of the pipeline and have no dead letters.</summary>
internal static class EventQueue
{
    /// <summary>Of the queue, and of the exchange to which the store publishes.</summary>
    public const string Name = "object-events";

    // A listing at the start makes up for any number of events that nobody took: only so many are kept.
    private const int MostWaiting = 100_000;

    private static readonly Dictionary<string, object?> Arguments = new(StringComparer.Ordinal)
    {
        ["x-queue-type"] = "quorum", ["x-max-length"] = MostWaiting, ["x-overflow"] = "drop-head",
    };

    /// <summary>Before the store knows of them: what it publishes to nowhere is lost. MinIO declares the exchange as well, and it must be the same.</summary>
    public static async Task Declare(IConnection connection, CancellationToken cancel)
    {
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancel);
        await channel.ExchangeDeclareAsync(Name, ExchangeType.Fanout, durable: true, autoDelete: false, cancellationToken: cancel);
        await channel.QueueDeclareAsync(Name, durable: true, exclusive: false, autoDelete: false, Arguments, cancellationToken: cancel);
        await channel.QueueBindAsync(Name, Name, routingKey: "", cancellationToken: cancel);
    }

    /// <summary>The broker's address for programs that take it in one, the password included.</summary>
    public static Uri AddressOf(BusSettings broker)
    {
        var host = broker.Host!.Contains(':', StringComparison.Ordinal) ? $"[{broker.Host}]" : broker.Host;
        // Without a path it is the virtual host "/"; with an empty one, to some clients, the virtual host "".
        var path = broker.VirtualHost == "/" ? "" : "/" + Uri.EscapeDataString(broker.VirtualHost);
        return new Uri($"{(broker.Tls ? "amqps" : "amqp")}://{Uri.EscapeDataString(broker.User)}:{Uri.EscapeDataString(broker.Password)}@{host}:{broker.Port}{path}");
    }
}
