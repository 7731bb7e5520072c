using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

internal sealed class KillAtAnyMoment : Fault
{
    public override string Kind => "kill";

    public override string Name => "kill-any-moment";

    public override string Does => "kill -9 of a random service, whatever it is doing";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        await Task.Delay(random.Next(0, 1000), cancel);
        return pipeline.Running(random) is { } service && await service.Kill() ? service.Name : null;
    }
}
