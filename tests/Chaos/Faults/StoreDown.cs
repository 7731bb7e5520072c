using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

internal sealed class StoreDown : Fault
{
    private static readonly TimeSpan For = TimeSpan.FromSeconds(30);

    public override string Kind => "store";

    public override string Name => "store-down";

    public override string Does => "the S3 server takes no connection for 30 s";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        using var down = pipeline.StoreServer.Under(new Weather { Refuses = true });
        await Task.Delay(For, cancel);
        return "the S3 server";
    }
}
