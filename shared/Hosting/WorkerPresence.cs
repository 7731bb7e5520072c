using System.Globalization;
using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Storage;
using DmlPipeline.Storage.Work;
using Microsoft.Extensions.Logging;

namespace DmlPipeline.Hosting;

/// <summary>Says every ten seconds that a worker is there and what it has, and holds its device; sees to it that urgent jobs get a worker.</summary>
internal sealed class WorkerPresence(
    Database database, string worker, string kind, IReadOnlyList<WorkerDevice> devices, GivingWay? givesWay, TimeSpan announceEvery, ILogger logger)
{
    private static readonly WorkerDevice None = new(WorkerRow.NoDevice, Claim: null, new Dictionary<string, string>(StringComparer.Ordinal));
    private static readonly TimeSpan LeaveWithin = TimeSpan.FromSeconds(3);

    private readonly long startedAt = Database.Now;
    private bool toldOfWaiting;

    // Written here, read by the worker.
    private volatile WorkerDevice device = None;

    public WorkerDevice Device => device;

    public bool HasDevice => device != None;

    public IReadOnlyDictionary<string, string> Labels => LabelsOf(device);

    /// <summary>Until <paramref name="gone"/>; then takes the worker off the list.</summary>
    public async Task Keep(CancellationToken gone)
    {
        while (!gone.IsCancellationRequested)
        {
            try
            {
                await Announce(gone);
                await TakeDevice(gone);
                if (givesWay is not null && await database.AskToGiveWay(kind, givesWay, gone) is { Count: > 0 } asked) logger.AskedToGiveWay(string.Join(", ", asked));
                await Task.Delay(announceEvery, gone);
            }
            catch (OperationCanceledException) when (gone.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                // A database that is away for a moment is waited for, as by the work itself.
                logger.WorkerFailed(e, kind);
                await Task.Delay(announceEvery, gone).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        await Leave();
    }

    private Task Announce(CancellationToken cancel) => database.Announce(
        new WorkerRow
        {
            Id = worker, Kind = kind, Host = Environment.MachineName, ProcessId = Environment.ProcessId, Device = device.Name,
            LabelsJson = JsonSerializer.Serialize(Labels, ContractJson.Compact), StartedAt = startedAt, SeenAt = 0,
        }, cancel);

    private async Task TakeDevice(CancellationToken cancel)
    {
        // A worker that was frozen finds that another has its device meanwhile, as another has its job.
        if (HasDevice && (device.Claim is null || await database.HasClaim(worker, cancel))) return;
        device = None;
        foreach (var candidate in devices)
        {
            if (candidate.Claim is not null && !await database.Claim(worker, candidate.Claim, cancel)) continue;
            device = candidate;
            toldOfWaiting = false;
            logger.DeviceTaken(kind, candidate.Name);
            break;
        }
        if (!HasDevice && !toldOfWaiting)
        {
            logger.NoDeviceFree(kind, string.Join(", ", devices.Select(each => each.Name)));
            toldOfWaiting = true;
        }
        await Announce(cancel);
    }

    private async Task Leave()
    {
        using var patience = new CancellationTokenSource(LeaveWithin);
        try
        {
            await database.Leave(worker, patience.Token);
        }
        catch (Exception e)
        {
            // It is found to be gone by its silence.
            logger.WorkerFailed(e, kind);
        }
    }

    private static Dictionary<string, string> LabelsOf(WorkerDevice device)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["host"] = Environment.MachineName,
            ["cores"] = Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture),
            ["memory"] = Gigabytes(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes),
            ["device"] = device.Name,
        };
        foreach (var (key, value) in device.Labels) labels[key] = value;
        return labels;
    }

    /// <summary>As labels say it.</summary>
    internal static string Gigabytes(double bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.#}GB");
}
