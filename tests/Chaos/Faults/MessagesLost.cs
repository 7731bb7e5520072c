using DmlPipeline.Chaos.Rig;
using DmlPipeline.Hosting.Messaging;
using RabbitMQ.Client;

namespace DmlPipeline.Chaos.Faults;

internal sealed class MessagesLost : Fault
{
    private static readonly TimeSpan For = TimeSpan.FromSeconds(5);

    public override string Kind => "messages";

    public override string Name => "messages-lost";

    public override string Does => "what waits in the queues, events of objects first, is thrown away, for some seconds";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        var lost = 0L;
        await using var connection = await RabbitMqConnection.Open(pipeline.Bus, cancel);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancel);
        for (var end = DateTime.UtcNow + For; DateTime.UtcNow < end; await Task.Delay(random.Next(10, 100), cancel))
            foreach (var queue in PipelineQueues.All) lost += await channel.QueuePurgeAsync(queue.Name, cancel);
        return $"{lost} messages";
    }
}
