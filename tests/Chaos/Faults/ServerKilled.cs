using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

/// <param name="kind">Also the first part of the name.</param>
/// <param name="server">One of <see cref="Servers"/>.</param>
/// <param name="title">For people.</param>
/// <param name="recovers">From what it recovers.</param>
internal sealed class ServerKilled(string kind, string server, string title, string recovers) : Fault
{
    public override string Kind => kind;

    public override string Name => $"{kind}-kill";

    public override string Does => $"{title} ends at once, without putting anything in order, and recovers {recovers}";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        await pipeline.Servers.Run(server, "kill", cancel);
        await pipeline.Servers.Run(server, "up", cancel);
        return title;
    }
}
