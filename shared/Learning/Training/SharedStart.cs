using System.Text.Json;
using DmlPipeline.Torch;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Training;

/// <summary>Brings every process of a group to where rank 0 stands: at the start, at a checkpoint, or at pretrained weights, which only rank 0 needs to have.</summary>
internal static class SharedStart
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public static void Exchange(ProcessGroup group, TrainingState state)
    {
        if (group.IsSolo) return;
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        if (group.Rank == 0) Send(group, state);
        else Receive(group, state);
    }

    private static void Send(ProcessGroup group, TrainingState state)
    {
        state.Position.Random = TorchRuntime.GetRngState();
        // The best weights so far are of use to who writes the model only.
        var tensors = state.Tensors().Where(entry => !entry.Key.StartsWith("best.", StringComparison.Ordinal)).OrderBy(entry => entry.Key, StringComparer.Ordinal).ToList();
        var forms = tensors.Select(entry => new Form(entry.Key, entry.Value.dtype, entry.Value.shape));
        group.Broadcast(JsonSerializer.SerializeToUtf8Bytes(new Start(state.Position.ToJson(), [.. forms]), Json));
        foreach (var (_, tensor) in tensors) group.Broadcast(tensor);
    }

    private static void Receive(ProcessGroup group, TrainingState state)
    {
        var start = JsonSerializer.Deserialize<Start>(group.Broadcast([]), Json)!;
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, type, shape) in start.Tensors)
        {
            var received = zeros(shape, type);
            group.Broadcast(received);
            tensors[name] = received;
        }
        state.Restore(tensors, TrainingPosition.FromJson(start.Position));
    }

    private sealed record Form(string Name, ScalarType Type, long[] Shape);

    private sealed record Start(string Position, IReadOnlyList<Form> Tensors);
}
