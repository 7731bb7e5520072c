using DmlPipeline.Learning.Weights.Pickle;

namespace DmlPipeline.Learning.Weights;

/// <summary>Finds the named tensors in what was saved: a state dictionary, or a checkpoint that holds one among other things.</summary>
internal static class StateDictionary
{
    private const int Deepest = 3;

    // In the order of preference: what training scripts call the network that they keep.
    private static readonly string[] UsualNames = ["state_dict", "model_state_dict", "model", "net", "network", "module", "teacher", "student", "weights"];

    /// <exception cref="WeightException">There is none.</exception>
    public static IReadOnlyDictionary<string, PickledTensor> Find(object? saved)
    {
        for (var (place, depth) = (saved, 0); depth < Deepest && place is PickledDictionary dictionary; depth++)
        {
            var tensors = new Dictionary<string, PickledTensor>(StringComparer.Ordinal);
            foreach (var (key, value) in dictionary.Entries)
                if (key is string name && value is PickledTensor tensor) tensors.Add(name, tensor);
            if (tensors.Count > 0) return tensors;
            place = UsualNames.Select(dictionary.Find).FirstOrDefault(value => value is PickledDictionary);
        }
        var keys = saved is PickledDictionary top ? string.Join(", ", top.Entries.Take(10).Select(entry => $"'{entry.Key}'")) : "";
        throw new WeightException(
            $"it holds no named tensors{(keys.Length > 0 ? $" but {keys}" : "")}. Save the network's own with torch.save(model.state_dict(), path)");
    }
}
