using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using static TorchSharp.torch;

namespace DmlPipeline.Torch.Binding;

/// <summary>
/// One operator of libtorch, found by name on its first call. Arguments that are left out take the defaults of the schema, so that
/// the same call works with every version that has the operator.
/// </summary>
internal sealed unsafe class Op(string name, string overload = "")
{
    private const int StackLimit = 256; // in 8-byte words: what list arguments may take on the stack

    private nint handle;

    /// <summary>Calls an operator that answers one tensor.</summary>
    internal Tensor Call(params ReadOnlySpan<Arg> args)
    {
        nint result;
        Invoke(args, &result, 1, 1);
        return new Tensor(result);
    }

    /// <summary>Calls an operator that answers two tensors.</summary>
    internal (Tensor First, Tensor Second) CallTwo(params ReadOnlySpan<Arg> args)
    {
        var results = stackalloc nint[2];
        Invoke(args, results, 2, 2);
        return (new Tensor(results[0]), new Tensor(results[1]));
    }

    /// <summary>Calls an operator that answers three tensors.</summary>
    internal (Tensor First, Tensor Second, Tensor Third) CallThree(params ReadOnlySpan<Arg> args)
    {
        var results = stackalloc nint[3];
        Invoke(args, results, 3, 3);
        return (new Tensor(results[0]), new Tensor(results[1]), new Tensor(results[2]));
    }

    /// <summary>Calls an operator that answers a list of tensors.</summary>
    internal Tensor[] CallMany(params ReadOnlySpan<Arg> args)
    {
        const int expected = 16;
        var few = stackalloc nint[expected];
        var count = Invoke(args, few, expected, -1);
        if (count <= expected) return Wrap(few, count);
        var many = new nint[count];
        fixed (nint* all = many)
        {
            Native.Check(Native.dml_more_results(all));
            return Wrap(all, count);
        }
    }

    /// <summary>Calls an operator that answers a truth value.</summary>
    internal bool CallBool(params ReadOnlySpan<Arg> args)
    {
        nint result;
        Invoke(args, &result, 1, 1);
        return result != 0;
    }

    /// <summary>Calls an operator for its effect on its arguments.</summary>
    internal void Run(params ReadOnlySpan<Arg> args) => Invoke(args, null, 0, -1);

    private static Tensor[] Wrap(nint* handles, int count)
    {
        var tensors = new Tensor[count];
        for (var i = 0; i < count; i++) tensors[i] = new Tensor(handles[i]);
        return tensors;
    }

    // The span lies on the caller's stack and holds the references, so nothing it names is collected before the call returns.
    [SkipLocalsInit]
    private int Invoke(ReadOnlySpan<Arg> args, nint* results, int capacity, int expected)
    {
        if (handle == 0) Resolve();
        var words = 0;
        foreach (ref readonly var arg in args)
            if (arg.Reference is not null && arg.Tag >= ArgTag.Ints) words += arg.Tag == ArgTag.Text ? (arg.Count + 7) / 8 : arg.Count;
        var native = stackalloc NativeArg[args.Length];
        var onHeap = words > StackLimit;
        var local = stackalloc long[onHeap ? 1 : words + 1];
        var buffer = onHeap ? (long*)NativeMemory.Alloc((nuint)words, sizeof(long)) : local;
        try
        {
            var next = buffer;
            for (var i = 0; i < args.Length; i++)
            {
                ref readonly var arg = ref args[i];
                native[i].Tag = (int)arg.Tag;
                native[i].Count = arg.Count;
                native[i].Bits = arg.Bits;
                if (arg.Reference is null || arg.Tag < ArgTag.Ints || arg.Tag == ArgTag.Generator) continue;
                native[i].Bits = (long)next;
                next += Copy(in arg, next);
            }
            var count = 0;
            Native.Check(Native.dml_call(handle, native, args.Length, results, capacity, &count));
            if (expected >= 0 && count != expected)
                throw new ExternalException($"{name} answered {count} results where {expected} were expected.");
            return count;
        }
        finally
        {
            if (onHeap) NativeMemory.Free(buffer);
        }
    }

    private static int Copy(in Arg arg, long* target)
    {
        switch (arg.Reference)
        {
            case long[] values:
                values.CopyTo(new Span<long>(target, values.Length));
                return values.Length;
            case double[] values:
                values.CopyTo(new Span<double>(target, values.Length));
                return values.Length;
            case Tensor?[] tensors:
                for (var i = 0; i < tensors.Length; i++) target[i] = tensors[i]?.Handle ?? 0;
                return tensors.Length;
            case byte[] text:
                text.CopyTo(new Span<byte>(target, text.Length));
                return (text.Length + 7) / 8;
            default:
                throw new InvalidOperationException($"An argument of type {arg.Reference!.GetType().Name} cannot be passed to libtorch.");
        }
    }

    private void Resolve()
    {
        fixed (byte* utf8Name = Encoding.UTF8.GetBytes(name + "\0"))
        fixed (byte* utf8Overload = Encoding.UTF8.GetBytes(overload + "\0"))
        {
            nint found;
            Native.Check(Native.dml_operator(utf8Name, utf8Overload, &found));
            handle = found;
        }
    }
}
