using System.Collections;
using System.Runtime.InteropServices;
using DmlPipeline.Torch.Binding;
using static TorchSharp.torch;

namespace TorchSharp.Utils;

/// <summary>The values of a tensor in the processor's memory, in row-major order whatever its strides are.</summary>
public sealed unsafe class TensorAccessor<T> : IDisposable, IEnumerable<T>
    where T : unmanaged
{
    private readonly long[] sizes;
    private readonly long[] strides;
    private readonly bool contiguous;
    private readonly T* data;
    private Tensor? tensor;

    internal TensorAccessor(Tensor tensor)
    {
        var info = tensor.DataInfo();
        this.tensor = tensor;
        data = (T*)info.Data;
        contiguous = info.IsContiguous != 0;
        sizes = tensor.shape;
        strides = tensor.stride();
        Count = info.Numel;
    }

    public long Count { get; }

    public bool IsReadOnly => false;

    public T this[params long[] indices]
    {
        get
        {
            var value = data[Offset(indices)];
            GC.KeepAlive(this);
            return value;
        }
        set
        {
            data[Offset(indices)] = value;
            GC.KeepAlive(this);
        }
    }

    public T[] ToArray()
    {
        var result = new T[Count];
        CopyTo(result);
        return result;
    }

    public void CopyTo(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyTo(array.AsSpan(), arrayIndex, tensorIndex);

    /// <summary>Copies the values from <paramref name="tensorIndex"/> on, as many as both sides hold.</summary>
    public void CopyTo(Span<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        var target = array[arrayIndex..];
        var count = (int)Math.Min(target.Length, Remaining(tensorIndex));
        if (contiguous)
        {
            new ReadOnlySpan<T>(data + tensorIndex, count).CopyTo(target);
        }
        else
        {
            for (var i = 0; i < count; i++) target[i] = data[Offset(tensorIndex + i)];
        }
        GC.KeepAlive(this);
    }

    public void CopyFrom(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyFrom((ReadOnlySpan<T>)array, arrayIndex, tensorIndex);

    public void CopyFrom(ReadOnlySpan<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        var source = array[arrayIndex..];
        if (source.Length > Remaining(tensorIndex))
            throw new ArgumentException($"{source.Length} values do not fit into the {Remaining(tensorIndex)} from position {tensorIndex} on.", nameof(array));
        if (contiguous)
        {
            source.CopyTo(new Span<T>(data + tensorIndex, source.Length));
        }
        else
        {
            for (var i = 0; i < source.Length; i++) data[Offset(tensorIndex + i)] = source[i];
        }
        GC.KeepAlive(this);
    }

    public IEnumerator<T> GetEnumerator()
    {
        for (long i = 0; i < Count; i++) yield return At(i);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void Dispose() => tensor = null;

    private T At(long position)
    {
        var value = data[contiguous ? position : Offset(position)];
        GC.KeepAlive(this);
        return value;
    }

    private long Remaining(long from)
    {
        Live();
        return from < 0 || from > Count
            ? throw new ArgumentOutOfRangeException(nameof(from), $"Position {from} lies outside of {Count} values.")
            : Count - from;
    }

    private long Offset(long position)
    {
        long offset = 0;
        for (var d = sizes.Length - 1; d >= 0; d--)
        {
            offset += position % sizes[d] * strides[d];
            position /= sizes[d];
        }
        return offset;
    }

    private long Offset(long[] indices)
    {
        Live();
        if (indices.Length == 1 && sizes.Length != 1) return Remaining(indices[0]) == 0 ? throw Outside(indices) : Offset(indices[0]);
        if (indices.Length != sizes.Length) throw new ArgumentException($"{indices.Length} indices for {sizes.Length} dimensions.", nameof(indices));
        long offset = 0;
        for (var d = 0; d < sizes.Length; d++)
            offset += indices[d] >= 0 && indices[d] < sizes[d] ? indices[d] * strides[d] : throw Outside(indices);
        return offset;
    }

    private ArgumentOutOfRangeException Outside(long[] indices) =>
        new(nameof(indices), $"[{string.Join(", ", indices)}] lies outside of [{string.Join(", ", sizes)}].");

    private void Live()
    {
        if (tensor is null || tensor.IsInvalid) throw new InvalidOperationException("The tensor behind these values is disposed.");
    }
}
