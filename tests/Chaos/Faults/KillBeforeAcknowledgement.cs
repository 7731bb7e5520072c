using System.Diagnostics;
using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

/// <summary>Between effect and acknowledgement, for certain: what services say to the broker is held back until one has committed and is dead.</summary>
internal sealed class KillBeforeAcknowledgement : Fault
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20), LongestHold = TimeSpan.FromSeconds(3);

    public override string Kind => "kill";

    public override string Name => "kill-before-ack";

    public override string Does => "kill -9 of a service whose effect is committed and whose acknowledgement never reaches the broker";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        for (var begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun) < Patience;)
        {
            // A message that is about to be sent, and, when it has been, is consumed while nothing more gets through.
            if (await pipeline.Witness.Next(commit => commit.What == "outbox", Patience, cancel) is null) return null;
            await Task.Delay(random.Next(0, 500), cancel);
            using var held = pipeline.Broker.Under(new Weather { HoldsRequests = true });
            var commit = await pipeline.Witness.Next(commit => commit.What == "inbox", LongestHold, cancel);
            if (pipeline.Services.FirstOrDefault(service => service.Name == commit?.Process) is { } service && await service.Kill()) return service.Name;
        }
        return null;
    }
}
