using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

internal sealed class BrokerConnectionsClosed : Fault
{
    public override string Kind => "broker";

    public override string Name => "broker-connections";

    public override string Does => "the broker closes every connection";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        await pipeline.Servers.Run(Servers.Broker, "disconnect", cancel);
        return "all services";
    }
}
