namespace DmlPipeline.Learning.Weights.Pickle;

/// <summary>What the names in a state dictionary mean. Four functions and ten storage classes are known; every other name is refused.</summary>
internal static class TorchObjects
{
    private const int MostDimensions = 32;
    private const long MostElements = 1L << 40;

    private static readonly HashSet<PickleGlobal> Functions =
    [
        new("collections", "OrderedDict"),
        new("torch._utils", "_rebuild_tensor"),
        new("torch._utils", "_rebuild_tensor_v2"),
        new("torch._utils", "_rebuild_parameter"),
    ];

    /// <summary>The name, when it is one of those that tensors need.</summary>
    public static PickleGlobal Known(PickleGlobal global) => Functions.Contains(global) || StorageType.Of(global) is not null
        ? global
        : throw new WeightException(
            $"it names '{global}'. Only tensors are read, and nothing in a file is ever run: save it again with torch.save(model.state_dict(), path), or as safetensors");

    /// <summary>What calling a known function gives.</summary>
    public static object Call(object? function, object?[] arguments) => (function as PickleGlobal)?.Name switch
    {
        "OrderedDict" => OrderedDictionary(arguments),
        "_rebuild_tensor" or "_rebuild_tensor_v2" => Tensor(arguments),
        "_rebuild_parameter" when arguments is [PickledTensor tensor, ..] => tensor,
        _ => throw new WeightException($"it calls '{function ?? "nothing"}' with what makes no tensor"),
    };

    /// <summary>The storage that a persistent identity describes: ("storage", class, key, device, elements).</summary>
    public static PickledStorage Storage(object? identity)
    {
        // Files from before PyTorch 1.6 have a sixth value, which was for storages that are a part of another one, and is None since 0.4.
        if (identity is object?[] and ["storage", PickleGlobal global, string key, string, long count, .. var rest]
            && rest is [] or [null] && StorageType.Of(global) is { } type && count is >= 0 and <= MostElements)
            return new PickledStorage(key, type, count);
        throw new WeightException("one of its storages is not described as PyTorch does it");
    }

    /// <summary>OrderedDict(), or OrderedDict([(key, value), ...]) as Python 2 wrote it.</summary>
    private static PickledDictionary OrderedDictionary(object?[] arguments)
    {
        var dictionary = new PickledDictionary();
        if (arguments is []) return dictionary;
        if (arguments is not [List<object?> pairs]) throw new WeightException("it makes an OrderedDict of what is no list of pairs");
        foreach (var pair in pairs)
        {
            var (key, value) = pair switch
            {
                object?[] and [var first, var second] => (first, second),
                List<object?> and [var first, var second] => (first, second),
                _ => throw new WeightException("it makes an OrderedDict of what is no list of pairs"),
            };
            dictionary.Set(key, value);
        }
        return dictionary;
    }

    /// <summary>(storage, offset, sizes, strides, ...); what follows (requires_grad, hooks, metadata) is of no concern here.</summary>
    private static PickledTensor Tensor(object?[] arguments)
    {
        if (arguments is not [PickledStorage storage, long offset, object?[] sizes, object?[] strides, ..])
            throw new WeightException("it describes a tensor in a way that PyTorch does not");
        if (sizes.Length != strides.Length || sizes.Length > MostDimensions)
            throw new WeightException($"one of its tensors has {sizes.Length} sizes and {strides.Length} strides");
        var tensor = new PickledTensor(storage, offset, [.. sizes.Select(Natural)], [.. strides.Select(Natural)]);
        CheckPlace(tensor);
        return tensor;
    }

    private static long Natural(object? value) =>
        value is long number and >= 0 and <= MostElements ? number : throw new WeightException($"one of its tensors has the size or stride '{value}'");

    private static void CheckPlace(PickledTensor tensor)
    {
        Int128 elements = 1, last = tensor.Offset;
        for (var i = 0; i < tensor.Sizes.Length; i++)
        {
            elements *= tensor.Sizes[i];
            if (elements > MostElements) throw new WeightException($"one of its tensors is larger than any memory: [{string.Join(", ", tensor.Sizes)}]");
            last += (Int128)Math.Max(0, tensor.Sizes[i] - 1) * tensor.Strides[i];
        }
        var inside = elements == 0 ? tensor.Offset <= tensor.Storage.Count : last < tensor.Storage.Count;
        if (tensor.Offset < 0 || !inside)
            throw new WeightException($"one of its tensors lies outside its storage '{tensor.Storage.Key}' of {tensor.Storage.Count} elements");
    }
}
