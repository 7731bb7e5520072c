using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

internal sealed class StoreConnectionsCut : Fault
{
    private const int Times = 20;

    public override string Kind => "store";

    public override string Name => "store-connections";

    public override string Does => "every connection to the S3 server is reset, 20 times within 10 s";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        for (var i = 0; i < Times; i++)
        {
            await Task.Delay(random.Next(200, 800), cancel);
            pipeline.StoreServer.Cut();
        }
        return "the S3 server";
    }
}
