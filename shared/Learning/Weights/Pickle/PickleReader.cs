using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace DmlPipeline.Learning.Weights.Pickle;

/// <summary>Interprets the few pickle instructions that a dictionary of tensors is made of (Python's pickletools describes them all).</summary>
/// <remarks>
/// Python's own reader imports and calls whatever a pickle names. This one knows four functions and ten classes by name, all of which only describe
/// tensors; any other name or instruction ends the reading. Work and memory are bounded whatever the bytes say: nothing recurses, and
/// instructions, stack, memo and text have limits.
/// </remarks>
internal sealed class PickleReader(Stream source)
{
    /// <summary>Limits over everything that one reader reads: a state dictionary of ten thousand tensors takes a fifth of them.</summary>
    public const int MostInstructions = 2_000_000, MostBytes = 32 << 20;

    private const int MostOnStack = 1 << 20, MostInMemo = 1 << 20, LongestLine = 256;
    private static readonly object?[] EmptyTuple = [];

    private readonly List<object?> stack = [];
    private readonly Stack<int> marks = [];
    private readonly Dictionary<long, object?> memo = [];
    private readonly long length = source.Length;
    private long instructions, bytesRead;

    /// <summary>Every storage that was described so far, by its key.</summary>
    public Dictionary<string, PickledStorage> Storages { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads the next pickle of the stream, up to its STOP.</summary>
    /// <exception cref="WeightException">It is broken, larger than any state dictionary, or holds something else than tensors.</exception>
    public object? Read()
    {
        stack.Clear();
        marks.Clear();
        memo.Clear();
        while (true)
        {
            if (++instructions > MostInstructions) throw new WeightException($"it has more than {MostInstructions} pickle instructions");
            var code = Byte();
            if (code == '.') return Pop();
            Execute(code);
            if (stack.Count > MostOnStack) throw new WeightException($"its pickle puts more than {MostOnStack} values on the stack");
        }
    }

    private void Execute(byte code)
    {
        switch (code)
        {
            case 0x80: Protocol(Byte()); break;
            case 0x95: Number(8); break; // FRAME: how much could be read ahead
            case (byte)'(': marks.Push(stack.Count); break;
            case (byte)'0': Pop(); break;
            case (byte)'1': PopToMark(); break;
            case (byte)'N': stack.Add(null); break;
            case 0x88: stack.Add(true); break;
            case 0x89: stack.Add(false); break;
            case (byte)'J': stack.Add((long)BinaryPrimitives.ReadInt32LittleEndian(Bytes(4))); break;
            case (byte)'K': stack.Add((long)Byte()); break;
            case (byte)'M': stack.Add(Number(2)); break;
            case 0x8a: stack.Add(Whole(Byte())); break;
            case (byte)'G': stack.Add(BinaryPrimitives.ReadDoubleBigEndian(Bytes(8))); break;
            case (byte)'U' or 0x8c: stack.Add(Text(Byte())); break;
            case (byte)'T' or (byte)'X': stack.Add(Text(Number(4))); break;
            case 0x8d: stack.Add(Text(Number(8))); break;
            case (byte)')': stack.Add(EmptyTuple); break;
            case 0x85: Tuple(1); break;
            case 0x86: Tuple(2); break;
            case 0x87: Tuple(3); break;
            case (byte)'t': stack.Add(PopToMark()); break;
            case (byte)']': stack.Add(new List<object?>()); break;
            case (byte)'l': stack.Add(PopToMark().ToList()); break;
            case (byte)'a': Append([Pop()]); break;
            case (byte)'e': Append(PopToMark()); break;
            case (byte)'}': stack.Add(new PickledDictionary()); break;
            case (byte)'d': Dictionary(); break;
            case (byte)'s': SetItems(Pair()); break;
            case (byte)'u': SetItems(PopToMark()); break;
            case (byte)'q': Remember(Byte()); break;
            case (byte)'r': Remember(Number(4)); break;
            case 0x94: Remember(memo.Count); break;
            case (byte)'h': stack.Add(Recall(Byte())); break;
            case (byte)'j': stack.Add(Recall(Number(4))); break;
            case (byte)'c': stack.Add(TorchObjects.Known(new PickleGlobal(Line(), Line()))); break;
            case (byte)'i': TorchObjects.Known(new PickleGlobal(Line(), Line())); throw Refused(code);
            case 0x93: stack.Add(GlobalOnStack()); break;
            case (byte)'Q': stack.Add(Storage()); break;
            case (byte)'R': Reduce(); break;
            case (byte)'b': Build(); break;
            default: throw Refused(code);
        }
    }

    private static void Protocol(byte version)
    {
        if (version is < 2 or > 5) throw new WeightException($"it is of pickle protocol {version}; 2 to 5 are read");
    }

    private void Tuple(int count)
    {
        Need(count);
        var values = stack.GetRange(stack.Count - count, count).ToArray();
        stack.RemoveRange(stack.Count - count, count);
        stack.Add(values);
    }

    private void Append(object?[] values)
    {
        if (Peek() is not List<object?> list) throw Broken("it appends to what is no list");
        list.AddRange(values);
    }

    private void Dictionary()
    {
        var items = PopToMark();
        stack.Add(new PickledDictionary());
        SetItems(items);
    }

    private object?[] Pair()
    {
        Need(2);
        var value = Pop();
        return [Pop(), value];
    }

    private void SetItems(object?[] keysAndValues)
    {
        if (Peek() is not PickledDictionary dictionary) throw Broken("it sets an item of what is no dictionary");
        if (keysAndValues.Length % 2 != 0) throw Broken("a dictionary in it has a key without a value");
        for (var i = 0; i < keysAndValues.Length; i += 2) dictionary.Set(keysAndValues[i], keysAndValues[i + 1]);
    }

    private PickleGlobal GlobalOnStack()
    {
        var (name, module) = (Pop(), Pop());
        if (name is not string nameText || module is not string moduleText) throw Broken("it names a class by what is no text");
        return TorchObjects.Known(new PickleGlobal(Shown(moduleText), Shown(nameText)));
    }

    private PickledStorage Storage()
    {
        var storage = TorchObjects.Storage(Pop());
        if (!Storages.TryAdd(storage.Key, storage) && Storages[storage.Key] != storage) throw Broken($"it describes the storage '{storage.Key}' in two ways");
        return storage;
    }

    private void Reduce()
    {
        if (Pop() is not object?[] arguments) throw Broken("it calls with what is no tuple");
        stack.Add(TorchObjects.Call(Pop(), arguments));
    }

    // state_dict() hangs the versions of its modules on the dictionary that it returns; nothing else here has a state.
    private void Build()
    {
        Pop();
        if (Peek() is not PickledDictionary) throw Broken("it sets the attributes of what is no dictionary");
    }

    private void Remember(long place)
    {
        if (memo.Count >= MostInMemo) throw new WeightException($"its pickle remembers more than {MostInMemo} values");
        memo[place] = Peek();
    }

    private object? Recall(long place) => memo.TryGetValue(place, out var value) ? value : throw Broken($"it recalls value {place}, which it has not remembered");

    private object? Peek()
    {
        Need(1);
        return stack[^1];
    }

    private object? Pop()
    {
        Need(1);
        var value = stack[^1];
        stack.RemoveAt(stack.Count - 1);
        return value;
    }

    // What lies below a mark is out of reach until the mark is gone.
    private void Need(int count)
    {
        if (stack.Count - (marks.Count == 0 ? 0 : marks.Peek()) < count) throw Broken("it takes a value from an empty stack");
    }

    private object?[] PopToMark()
    {
        if (marks.Count == 0) throw Broken("it goes back to a mark that it has not set");
        var start = marks.Pop();
        var values = stack.GetRange(start, stack.Count - start).ToArray();
        stack.RemoveRange(start, stack.Count - start);
        return values;
    }

    private byte Byte()
    {
        Count(1);
        var next = source.ReadByte();
        return next >= 0 ? (byte)next : throw Broken("it ends in the middle");
    }

    private long Number(int size)
    {
        Span<byte> wide = stackalloc byte[8];
        Bytes(size).CopyTo(wide);
        var number = BinaryPrimitives.ReadInt64LittleEndian(wide);
        return number >= 0 ? number : throw Broken("it states a length beyond any file");
    }

    private object Whole(int size)
    {
        var value = new BigInteger(Bytes(size));
        return value >= long.MinValue && value <= long.MaxValue ? (long)value : value;
    }

    private string Text(long length)
    {
        // Python 2 text need not be UTF-8; keys of a state dictionary are ASCII, and what else there is may come out wrong.
        if (length > MostBytes) throw new WeightException($"a text in its pickle claims {length} bytes");
        return Encoding.UTF8.GetString(Bytes((int)length));
    }

    private string Line()
    {
        var line = new List<byte>();
        for (var next = Byte(); next != '\n'; next = Byte())
        {
            if (line.Count == LongestLine) throw Broken("the name of a class in it has no end");
            line.Add(next);
        }
        return Shown(Encoding.UTF8.GetString([.. line]));
    }

    private byte[] Bytes(int count)
    {
        Count(count);
        if (count > length - source.Position) throw Broken("it ends in the middle");
        var bytes = new byte[count];
        source.ReadExactly(bytes);
        return bytes;
    }

    private void Count(int bytes)
    {
        bytesRead += bytes;
        if (bytesRead > MostBytes) throw new WeightException($"its pickle is larger than {MostBytes >> 20} MiB");
    }

    // What comes from the file goes into messages: short and without line ends or terminal codes.
    private static string Shown(string text)
    {
        var plain = string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
        return plain.Length <= LongestLine ? plain : plain[..LongestLine] + "…";
    }

    private static WeightException Broken(string what) => new($"its pickle is damaged: {what}");

    private static WeightException Refused(byte code) =>
        new($"it uses the pickle instruction {PickleInstructions.Name(code)}, which a dictionary of tensors does not need. Save it again with torch.save(model.state_dict(), path), or as safetensors");
}
