using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace DmlPipeline.Hosting.Messaging;

/// <summary>The error queues: to look into, to send back, to empty. What is being looked at is out of others' sight until that ends.</summary>
public sealed class DeadLetters : IAsyncDisposable
{
    private readonly IConnection connection;

    private DeadLetters(IConnection connection) => this.connection = connection;

    /// <exception cref="SettingException">The broker refuses, or the bus lives in memory, where queues end with their process.</exception>
    /// <exception cref="IOException">The broker cannot be reached.</exception>
    public static async Task<DeadLetters> Open(BusSettings bus, CancellationToken cancel) =>
        bus.IsMemory
            ? throw new SettingException("bus", "a bus in memory keeps no dead letters: what fails there is owed, and sent again. Name the broker, rabbitmq://HOST")
            : new DeadLetters(await RabbitMqConnection.Open(bus, cancel));

    /// <summary>Dead letters that fulfil the condition, the oldest of each queue first.</summary>
    public async Task<IReadOnlyList<DeadLetter>> List(Func<DeadLetter, bool> which, int most, CancellationToken cancel)
    {
        var found = new List<DeadLetter>();
        await Visit((letter, _, _) =>
        {
            if (which(letter)) found.Add(letter);
            return Task.FromResult(false);
        }, () => found.Count >= most, cancel);
        return found;
    }

    /// <summary>Sends dead letters back to the queue that they came from, to be consumed as if for the first time.</summary>
    /// <returns>Those that were sent back.</returns>
    public Task<IReadOnlyList<DeadLetter>> Replay(Func<DeadLetter, bool> which, CancellationToken cancel) =>
        Take(which, async (letter, channel, got) =>
        {
            var properties = new BasicProperties(got.BasicProperties) { Headers = DeadLetter.WithoutFault(got.BasicProperties.Headers), Persistent = true };
            // To the queue itself, not to the message's exchange: other consumers of the same message have had it. Mandatory and
            // confirmed: the dead letter goes only when its successor is on the broker's disks.
            await channel.BasicPublishAsync(exchange: "", routingKey: letter.Queue, mandatory: true, properties, got.Body, cancel);
        }, cancel);

    /// <summary>Deletes dead letters.</summary>
    /// <returns>Those that were deleted.</returns>
    public Task<IReadOnlyList<DeadLetter>> Discard(Func<DeadLetter, bool> which, CancellationToken cancel) => Take(which, (_, _, _) => Task.CompletedTask, cancel);

    public ValueTask DisposeAsync() => connection.DisposeAsync();

    private async Task<IReadOnlyList<DeadLetter>> Take(Func<DeadLetter, bool> which, Func<DeadLetter, IChannel, BasicGetResult, Task> first, CancellationToken cancel)
    {
        var taken = new List<DeadLetter>();
        await Visit(async (letter, channel, got) =>
        {
            if (!which(letter)) return false;
            await first(letter, channel, got);
            taken.Add(letter);
            return true;
        }, () => false, cancel);
        return taken;
    }

    /// <summary>Shows every dead letter to <paramref name="visit"/>, which says whether it is to be removed. The others go back when their channel closes.</summary>
    private async Task Visit(Func<DeadLetter, IChannel, BasicGetResult, Task<bool>> visit, Func<bool> enough, CancellationToken cancel)
    {
        foreach (var queue in PipelineQueues.All)
        {
            await using var channel = await connection.CreateChannelAsync(
                new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), cancel);
            try
            {
                while (!enough() && await channel.BasicGetAsync(queue.ErrorQueue, autoAck: false, cancel) is { } got)
                {
                    var letter = DeadLetter.Read(queue.Name, got);
                    if (await visit(letter, channel, got)) await channel.BasicAckAsync(got.DeliveryTag, multiple: false, cancel);
                }
            }
            catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == 404)
            {
                // No service has declared the queues yet: nothing has failed either.
            }
        }
    }
}
