using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace DmlPipeline.Hosting.Messaging;

/// <summary>How the pipeline's queues look on RabbitMQ, for those who declare them: this program at its start, and MassTransit.</summary>
internal static class RabbitMqQueues
{
    /// <summary>Deliveries that ended with the consumer's process or connection. RabbitMQ 4 drops a message after as many, unless it has somewhere to go.</summary>
    private const int DeliveryLimit = 20;

    /// <summary>Looking into an error queue counts as delivery: there must be no end to that.</summary>
    private const int NoDeliveryLimit = 1_000_000_000;

    public static Dictionary<string, object?> ArgumentsOf(string queue) => new(StringComparer.Ordinal)
    {
        ["x-queue-type"] = "quorum",
        ["x-delivery-limit"] = DeliveryLimit,
        // A message that takes its process down every time ends beside those that throw.
        ["x-dead-letter-exchange"] = "",
        ["x-dead-letter-routing-key"] = PipelineQueue.ErrorQueueOf(queue),
        ["x-dead-letter-strategy"] = "at-least-once",
        ["x-overflow"] = "reject-publish",
    };

    public static Dictionary<string, object?> ErrorArguments() => new(StringComparer.Ordinal) { ["x-queue-type"] = "quorum", ["x-delivery-limit"] = NoDeliveryLimit };

    public static void Configure(IRabbitMqReceiveEndpointConfigurator endpoint, string queue)
    {
        foreach (var (name, value) in ArgumentsOf(queue)) endpoint.SetQueueArgument(name, value);
    }

    /// <summary>MassTransit gives an error queue the arguments of its queue; these replace them.</summary>
    public static void ConfigureErrors(IRabbitMqQueueBindingConfigurator settings)
    {
        foreach (var name in ArgumentsOf("").Keys) settings.SetQueueArgument(name, value: null);
        foreach (var (name, value) in ErrorArguments()) settings.SetQueueArgument(name, value);
    }

    /// <summary>Declares every queue, error queue, exchange and binding; what is there already stays as it is.</summary>
    /// <exception cref="SettingException">The user may not declare, or something else uses these names.</exception>
    public static async Task Declare(IConnection connection, CancellationToken cancel)
    {
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancel);
        foreach (var queue in PipelineQueues.All)
        {
            try
            {
                await DeclareOne(channel, queue, cancel);
            }
            catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode is 403)
            {
                throw new SettingException("bus-user", $"this user may not declare queue {queue.Name}: {e.ShutdownReason.ReplyText}", e);
            }
            catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode is 406)
            {
                throw new SettingException(
                    "bus", $"queue {queue.Name} exists with other settings, perhaps of another program or version: give the pipeline a virtual host of its own. {e.ShutdownReason.ReplyText}", e);
            }
        }
    }

    private static async Task DeclareOne(IChannel channel, PipelineQueue queue, CancellationToken cancel)
    {
        foreach (var (name, arguments) in new[] { (queue.ErrorQueue, ErrorArguments()), (queue.Name, ArgumentsOf(queue.Name)) })
        {
            await channel.ExchangeDeclareAsync(name, ExchangeType.Fanout, durable: true, autoDelete: false, cancellationToken: cancel);
            await channel.QueueDeclareAsync(name, durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: cancel);
            await channel.QueueBindAsync(name, name, routingKey: "", cancellationToken: cancel);
        }
        await channel.ExchangeDeclareAsync(queue.Exchange, ExchangeType.Fanout, durable: true, autoDelete: false, cancellationToken: cancel);
        await channel.ExchangeBindAsync(destination: queue.Name, source: queue.Exchange, routingKey: "", cancellationToken: cancel);
    }
}

/// <summary>Declares the queues before the bus starts, waiting for a broker that is not there yet.</summary>
internal sealed class QueueDeclaration(BusSettings bus, ILogger<QueueDeclaration> logger) : IHostedService
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await using var connection = await RabbitMqConnection.Open(bus, cancellationToken);
                await RabbitMqQueues.Declare(connection, cancellationToken);
                return;
            }
            // A connection that was cut amid the declarations as well: what cannot be declared at all is a SettingException.
            catch (Exception e) when (e is IOException or OperationInterruptedException)
            {
                logger.WaitingForBroker(e.Message);
                await Task.Delay(RetryAfter, cancellationToken);
            }
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
