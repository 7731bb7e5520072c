using DmlPipeline.Chaos.Rig;
using DmlPipeline.Hosting.Messaging;
using RabbitMQ.Client;

namespace DmlPipeline.Chaos.Faults;

internal sealed class MessagesLost : Fault
{
    private static readonly TimeSpan For = TimeSpan.FromSeconds(5), Patience = TimeSpan.FromSeconds(60);

    public override string Kind => "messages";

    public override string Name => "messages-lost";

    public override string Does => "what waits in the queues is thrown away, and what is sent reaches none, for some seconds and until some are lost";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        var (purged, before) = (0L, await Sent(pipeline, cancel));
        await using var connection = await RabbitMqConnection.Open(pipeline.Bus, cancel);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancel);
        // The broker confirms what it is sent, and has nowhere to put it.
        foreach (var queue in PipelineQueues.All) await channel.ExchangeUnbindAsync(destination: queue.Name, source: queue.Exchange, routingKey: "", cancellationToken: cancel);
        try
        {
            for (var begun = DateTime.UtcNow; DateTime.UtcNow < begun + For || DateTime.UtcNow < begun + Patience && purged + await Sent(pipeline, cancel) == before; await Task.Delay(random.Next(10, 100), cancel))
                foreach (var queue in PipelineQueues.All) purged += await channel.QueuePurgeAsync(queue.Name, cancel);
        }
        finally
        {
            foreach (var queue in PipelineQueues.All)
                await channel.ExchangeBindAsync(destination: queue.Name, source: queue.Exchange, routingKey: "", cancellationToken: CancellationToken.None);
        }
        var lost = purged + await Sent(pipeline, cancel) - before;
        return lost == 0 ? null : $"{lost} messages";
    }

    private static Task<long> Sent(Pipeline pipeline, CancellationToken cancel) =>
        pipeline.Patiently(database => database.QueryOne<long>("select count(*) from outbox where sent_at is not null", null, cancel), cancel);
}
