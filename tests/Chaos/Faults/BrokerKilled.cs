using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

internal sealed class BrokerKilled : Fault
{
    public override string Kind => "broker";

    public override string Name => "broker-kill";

    public override string Does => "kill -9 of RabbitMQ, which recovers from its disk";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        await pipeline.Servers.Run(Servers.Broker, "kill", cancel);
        await pipeline.Servers.Run(Servers.Broker, "up", cancel);
        return "RabbitMQ";
    }
}
