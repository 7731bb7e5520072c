namespace DmlPipeline.Learning.Weights.Pickle;

/// <summary>A class or function that a pickle names. It is a name here and nothing more: nothing is ever looked up or run.</summary>
internal sealed record PickleGlobal(string Module, string Name)
{
    public override string ToString() => $"{Module}.{Name}";
}

/// <summary>A storage that tensors are views of.</summary>
/// <param name="Key">Its name in the file.</param>
/// <param name="Type">What one element is.</param>
/// <param name="Count">Elements.</param>
internal sealed record PickledStorage(string Key, StorageType Type, long Count)
{
    public long Bytes => Count * Type.ElementSize;
}

/// <summary>A view of a storage, checked to lie within it; sizes, strides and offset count elements.</summary>
internal sealed record PickledTensor(PickledStorage Storage, long Offset, long[] Sizes, long[] Strides);

/// <summary>A pickled dict.</summary>
internal sealed class PickledDictionary
{
    private readonly Dictionary<object, object?> entries = [];

    public IEnumerable<KeyValuePair<object, object?>> Entries => entries;

    /// <summary>The value of a text key, or null.</summary>
    public object? Find(string key) => entries.GetValueOrDefault(key);

    /// <exception cref="WeightException">The key is neither text nor a small whole number. Larger ones could be chosen to fall into one bucket, and
    /// then a small file takes hours.</exception>
    public void Set(object? key, object? value)
    {
        if (key is not string and not (long and >= int.MinValue and <= int.MaxValue)) throw new WeightException($"a dictionary in it has the key '{key ?? "None"}'");
        entries[key] = value;
    }
}
