using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

internal sealed class StoreKilled : Fault
{
    public override string Kind => "store";

    public override string Name => "store-kill";

    public override string Does => "kill -9 of the S3 gateway amid requests; it is started again";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        pipeline.Servers.KillStore("gateway");
        await Task.Delay(random.Next(500, 3000), cancel);
        await pipeline.Servers.Run(Servers.Store, "up", cancel);
        return "the S3 gateway";
    }
}
