using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using DmlPipeline.Hosting;

namespace DmlPipeline.Training;

/// <param name="Index">As the driver counts, whatever this process may see.</param>
/// <param name="Uuid">The card's own name.</param>
/// <param name="Model">For example <c>NVIDIA H200</c>.</param>
/// <param name="Megabytes">Its memory, in MiB.</param>
internal sealed record Gpu(int Index, string Uuid, string Model, double Megabytes);

/// <summary>What a training worker may work on: GPUs, each by one worker alone; or the CPU.</summary>
internal static class TrainingDevices
{
    private static readonly TimeSpan AskedWithin = TimeSpan.FromSeconds(10);

    public static IReadOnlyList<WorkerDevice> Of(TrainingOptions options)
    {
        var count = options.Device == "cpu" ? 0 : TorchSharp.torch.cuda.device_count();
        return Choose(options, count, Environment.GetEnvironmentVariable("CUDA_VISIBLE_DEVICES"), Environment.MachineName, count == 0 ? [] : Installed());
    }

    /// <param name="options">Which device is wanted, and labels of the worker's own.</param>
    /// <param name="visible">GPUs that torch sees.</param>
    /// <param name="order">CUDA_VISIBLE_DEVICES: which those are, in torch's order; null when it sees all.</param>
    /// <param name="host">This machine.</param>
    /// <param name="installed">What the driver says is there; empty when it cannot be asked.</param>
    internal static IReadOnlyList<WorkerDevice> Choose(TrainingOptions options, int visible, string? order, string host, IReadOnlyList<Gpu> installed)
    {
        var own = Labels(options.Labels);
        if (options.Device == "cpu" || options.Device == "auto" && visible == 0) return [WorkerDevice.Cpu with { Labels = own }];
        var entries = order?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var gpus = Enumerable.Range(0, visible).Select(i => Of(i, entries is not null && i < entries.Length ? entries[i] : $"{i}")).ToList();
        if (options.Device == "auto") return gpus;
        return gpus.Find(gpu => gpu.Name == options.Device) is { } wanted
            ? [wanted]
            : throw new InvalidOperationException(
                $"Training:Device is {options.Device}, but torch sees {(visible == 0 ? "no GPU" : $"{visible} here, from cuda:0 to cuda:{visible - 1}")}. Choose one of these, or cpu or auto; look at CUDA_VISIBLE_DEVICES and the driver (nvidia-smi).");

        WorkerDevice Of(int torchIndex, string entry)
        {
            var card = installed.FirstOrDefault(gpu => entry == $"{gpu.Index}" || entry.Length > "GPU-".Length && gpu.Uuid.StartsWith(entry, StringComparison.Ordinal));
            var labels = new Dictionary<string, string>(own, StringComparer.Ordinal) { ["gpu"] = card?.Model ?? "unknown" };
            if (card is not null) labels.TryAdd("gpu-memory", string.Create(CultureInfo.InvariantCulture, $"{card.Megabytes * (1 << 20) / 1e9:0.#}GB"));
            // By the card's own name, two containers on one host do not take the same one, whatever they call host and card.
            return new WorkerDevice($"cuda:{torchIndex}", card?.Uuid ?? $"{host}/{entry}", labels);
        }
    }

    /// <summary>Lines of <c>nvidia-smi --query-gpu=index,uuid,name,memory.total --format=csv,noheader,nounits</c>.</summary>
    internal static IReadOnlyList<Gpu> Read(string lines) =>
    [
        .. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(line => line.Split(',', StringSplitOptions.TrimEntries))
            .Where(parts => parts.Length == 4 && int.TryParse(parts[0], CultureInfo.InvariantCulture, out _) && double.TryParse(parts[3], CultureInfo.InvariantCulture, out _))
            .Select(parts => new Gpu(int.Parse(parts[0], CultureInfo.InvariantCulture), parts[1], parts[2], double.Parse(parts[3], CultureInfo.InvariantCulture))),
    ];

    private static IReadOnlyList<Gpu> Installed()
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("nvidia-smi", ["--query-gpu=index,uuid,name,memory.total", "--format=csv,noheader,nounits"])
            {
                RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
            })!;
            var output = process.StandardOutput.ReadToEndAsync();
            if (process.WaitForExit(AskedWithin)) return process.ExitCode == 0 ? Read(output.GetAwaiter().GetResult()) : [];
            process.Kill();
            return [];
        }
        catch (Win32Exception)
        {
            // No such program: the cards are known by number, and of their memory nothing is said.
            return [];
        }
    }

    private static Dictionary<string, string> Labels(string? text) =>
        (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
}
