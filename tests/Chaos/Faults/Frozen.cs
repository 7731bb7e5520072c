using DmlPipeline.Chaos.Rig;
using DmlPipeline.Hosting;

namespace DmlPipeline.Chaos.Faults;

internal sealed class Frozen : Fault
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public override string Kind => "worker";

    public override string Name => "frozen";

    public override string Does => "a worker that has a job is stopped until its lease has run out and another has the job, and then goes on";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        // Such a job if there is one, or else another.
        var wanted = random.Next(3) switch { 0 => "prepare", 1 => "train", _ => "evaluate" };
        (string Kind, string Holder)? held = null;
        ServiceProcess? service = null;
        for (var end = DateTime.UtcNow + Patience; service is null && DateTime.UtcNow < end; await Task.Delay(50, cancel))
        {
            held = await pipeline.Patiently(
                database => database.QueryOne<(string, string)?>("select kind, leased_by from jobs where state = 'leased' order by kind <> @wanted, random() limit 1", new { wanted }, cancel), cancel);
            // The holder's name holds its process id; it may be dead by now.
            service = held is null ? null : pipeline.Services.FirstOrDefault(service => $"{service.Id}" == held.Value.Holder.Split('/')[1]);
        }
        if (service?.Id is not { } id) return null;
        Signals.Send(id, Signals.Stop);
        try
        {
            await Task.Delay(JobTiming.Default.LeaseFor + TimeSpan.FromSeconds(random.Next(2, 10)), cancel);
        }
        finally
        {
            Signals.Send(id, Signals.Continue);
        }
        return $"{service.Name} at {held!.Value.Kind}";
    }
}
