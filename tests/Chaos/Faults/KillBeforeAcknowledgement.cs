using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

/// <summary>Between effect and acknowledgement, for certain: what services say to the broker is held back until one has committed and is dead.</summary>
internal sealed class KillBeforeAcknowledgement : Fault
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public override string Kind => "kill";

    public override string Name => "kill-before-ack";

    public override string Does => "kill -9 of a service whose effect is committed and whose acknowledgement never reaches the broker";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        using var held = pipeline.Broker.Under(new Weather { HoldsRequests = true });
        var commit = await pipeline.Witness.Next(commit => commit.What == "inbox", Patience, cancel);
        return pipeline.Services.FirstOrDefault(service => service.Name == commit?.Process) is { } service && await service.Kill() ? service.Name : null;
    }
}
