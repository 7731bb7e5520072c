using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Torch;

namespace DmlPipeline.Training.Processes;

/// <summary>What rank 0 tells the others of a run, so that they bring the same images and the same recipe.</summary>
/// <param name="RunId">For their logs.</param>
/// <param name="Dataset">In the store.</param>
/// <param name="DatasetVersion">Of it.</param>
/// <param name="Recipe">As JSON.</param>
/// <param name="Device">Of rank 0: cpu, or a GPU, which the others then have too.</param>
/// <param name="Threads">CPU threads for each; null for the recipe's.</param>
internal sealed record RunShare(string RunId, string Dataset, int DatasetVersion, string Recipe, string Device, int? Threads)
{
    public void Tell(ProcessGroup group) => group.Broadcast(JsonSerializer.SerializeToUtf8Bytes(this, ContractJson.Compact));

    public static RunShare Hear(ProcessGroup group) => JsonSerializer.Deserialize<RunShare>(group.Broadcast([]), ContractJson.Compact)!;
}
