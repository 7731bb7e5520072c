using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

/// <param name="kind">Also the first part of the name.</param>
/// <param name="server">One of <see cref="Servers"/>.</param>
/// <param name="title">For people.</param>
/// <param name="how">What stopping means to this server.</param>
/// <param name="longestPause">Until it is started again, at most.</param>
internal sealed class ServerRestarted(string kind, string server, string title, string how, TimeSpan longestPause) : Fault
{
    public override string Kind => kind;

    public override string Name => $"{kind}-restart";

    public override string Does => $"{title} {how}, and is started again some seconds later";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        await pipeline.Servers.Run(server, "down", cancel);
        await Task.Delay(random.NextDouble() * longestPause, cancel);
        await pipeline.Servers.Run(server, "up", cancel);
        return title;
    }
}
