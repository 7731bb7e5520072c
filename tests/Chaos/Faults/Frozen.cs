using DmlPipeline.Chaos.Rig;
using DmlPipeline.Hosting;

namespace DmlPipeline.Chaos.Faults;

internal sealed class Frozen : Fault
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public override string Kind => "worker";

    public override string Name => "frozen";

    public override string Does => "a worker that has a job is stopped until its lease has run out and another has the job, and then goes on";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        var kind = random.Next(3) switch { 0 => "prepare", 1 => "train", _ => "evaluate" };
        // The holder's name holds its process id.
        string? holder = null;
        for (var end = DateTime.UtcNow + Patience; holder is null && DateTime.UtcNow < end; await Task.Delay(50, cancel))
            holder = await pipeline.Patiently(database => database.QueryOne<string>("select leased_by from jobs where kind = @kind and state = 'leased' order by random() limit 1", new { kind }, cancel), cancel);
        var id = holder is null ? 0 : int.Parse(holder.Split('/')[1]);
        if (pipeline.Services.FirstOrDefault(service => service.Id == id) is not { } service) return null;
        Signals.Send(id, Signals.Stop);
        try
        {
            await Task.Delay(JobTiming.Default.LeaseFor + TimeSpan.FromSeconds(random.Next(2, 10)), cancel);
        }
        finally
        {
            Signals.Send(id, Signals.Continue);
        }
        return $"{service.Name} at {kind}";
    }
}
