using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

internal sealed class StoreSlow : Fault
{
    private static readonly TimeSpan For = TimeSpan.FromSeconds(20);

    public override string Kind => "store";

    public override string Name => "store-slow";

    public override string Does => "every piece of every request to the S3 server, and of its answers, comes half a second later, for 20 s";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        using var slow = pipeline.StoreServer.Under(new Weather { Delay = TimeSpan.FromMilliseconds(500) });
        await Task.Delay(For, cancel);
        return "the S3 server";
    }
}
