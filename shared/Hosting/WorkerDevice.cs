namespace DmlPipeline.Hosting;

/// <summary>What a worker may work on.</summary>
/// <param name="Name"><c>cpu</c> or <c>cuda:0</c>.</param>
/// <param name="Claim">Names it among all hosts, for what only one worker may use at a time; null for what any number may share.</param>
/// <param name="Labels">What it has, besides what every worker has.</param>
public sealed record WorkerDevice(string Name, string? Claim, IReadOnlyDictionary<string, string> Labels)
{
    /// <summary>Cores, which the operating system shares out.</summary>
    public static readonly WorkerDevice Cpu = new("cpu", Claim: null, new Dictionary<string, string>(StringComparer.Ordinal));
}
