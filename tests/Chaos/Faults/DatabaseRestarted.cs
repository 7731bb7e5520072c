using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

internal sealed class DatabaseRestarted : Fault
{
    public override string Kind => "database";

    public override string Name => "database-restart";

    public override string Does => "PostgreSQL breaks every transaction off, stops, and is started again some seconds later";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        await pipeline.Servers.Run(Servers.Database, "down", cancel);
        await Task.Delay(random.Next(0, 8000), cancel);
        await pipeline.Servers.Run(Servers.Database, "up", cancel);
        return "PostgreSQL";
    }
}
