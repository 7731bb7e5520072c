using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

/// <summary>Between effect and acknowledgement, as near as chance brings it: the database tells of the commit when the service hears of it, too.</summary>
internal sealed class KillAfterCommit : Fault
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public override string Kind => "kill";

    public override string Name => "kill-after-commit";

    public override string Does => "kill -9 of the service that has just committed an effect, a message or the end of a job";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        var what = random.Next(3) switch { 0 => "inbox", 1 => "outbox", _ => "done" };
        var commit = await pipeline.Witness.Next(commit => commit.What == what, Patience, cancel);
        return pipeline.Services.FirstOrDefault(service => service.Name == commit?.Process) is { } service && await service.Kill() ? $"{service.Name} after {what}" : null;
    }
}
