using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

internal sealed class DatabaseKilled : Fault
{
    public override string Kind => "database";

    public override string Name => "database-kill";

    public override string Does => "PostgreSQL ends at once, without a checkpoint, and recovers from its log";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        await pipeline.Servers.Run(Servers.Database, "kill", cancel);
        await pipeline.Servers.Run(Servers.Database, "up", cancel);
        return "PostgreSQL";
    }
}
