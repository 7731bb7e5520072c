using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

internal sealed class BrokerRestarted : Fault
{
    public override string Kind => "broker";

    public override string Name => "broker-restart";

    public override string Does => "RabbitMQ is stopped in order, and started again";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        await pipeline.Servers.Run(Servers.Broker, "down", cancel);
        await Task.Delay(random.Next(0, 5000), cancel);
        await pipeline.Servers.Run(Servers.Broker, "up", cancel);
        return "RabbitMQ";
    }
}
