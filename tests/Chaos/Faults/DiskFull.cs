using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

internal sealed class DiskFull : Fault
{
    private const int Room = 4096;

    public override string Kind => "worker";

    public override string Name => "disk-full";

    public override string Does => "services that work with files may write no more than 4 kB into each, for 10 s (simulated: RLIMIT_FSIZE of the running processes)";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        for (var end = DateTime.UtcNow.AddSeconds(10); DateTime.UtcNow < end; await Task.Delay(500, cancel))
            await Limit(pipeline, Room);
        await Limit(pipeline, bytes: null);
        return "ingestion, training and evaluation";
    }

    // Again and again, as some are killed and started meanwhile.
    private static Task Limit(Pipeline pipeline, long? bytes) => Task.WhenAll(
        pipeline.Services.Where(service => service.Service is "ingestion" or "training" or "evaluation").Select(service => service.Id).OfType<int>().Select(id => Signals.LimitFiles(id, bytes)));
}
