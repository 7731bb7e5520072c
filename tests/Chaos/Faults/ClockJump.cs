using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

internal sealed class ClockJump : Fault
{
    private static readonly int[] Jumps = [-3600, -120, 120, 600, 3600];

    public override string Kind => "worker";

    public override string Name => "clock-jump";

    public override string Does => "a service's wall clock is wrong by minutes, or an hour, for 20 s (simulated: the process reads a clock of ours)";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        var service = pipeline.Services[random.Next(pipeline.Services.Count)];
        var jump = Jumps[random.Next(Jumps.Length)];
        service.SetClock(jump);
        try
        {
            await Task.Delay(TimeSpan.FromSeconds(20), cancel);
        }
        finally
        {
            service.SetClock(0);
        }
        return $"{service.Name} by {jump:+0;-0} s";
    }
}
