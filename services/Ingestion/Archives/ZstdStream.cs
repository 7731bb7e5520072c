using System.Runtime.InteropServices;

namespace DmlPipeline.Ingestion.Archives;

/// <summary>Decompresses a zstd stream (RFC 8878) with the system's libzstd; frames may follow one another. Memory is bounded by the window.</summary>
internal sealed partial class ZstdStream : Stream
{
    // 2^27 = 128 MiB: what `zstd --long` needs. A frame that asks for more is refused instead of allocated.
    private const int MaxWindowLog = 27;
    private const int WindowLogMaxParameter = 100;

    private readonly Stream source;
    private readonly byte[] input = new byte[1 << 17];
    private nint context;
    private int inputStart;
    private int inputEnd;
    private bool insideFrame;

    public ZstdStream(Stream source)
    {
        this.source = source;
        context = ZSTD_createDCtx();
        if (context == 0) throw new InvalidOperationException("libzstd could not create a decoder: the machine is out of memory.");
        ThrowOnError(ZSTD_DCtx_setParameter(context, WindowLogMaxParameter, MaxWindowLog));
    }

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        while (true)
        {
            if (buffer.IsEmpty) return 0;
            if (Step(buffer) is var written and > 0) return written;
            if (inputStart == inputEnd && !Took(source.Read(input))) return 0;
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (buffer.IsEmpty) return 0;
            if (Step(buffer.Span) is var written and > 0) return written;
            if (inputStart == inputEnd && !Took(await source.ReadAsync(input, cancellationToken))) return 0;
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (context != 0) ZSTD_freeDCtx(context);
        context = 0;
        base.Dispose(disposing);
    }

    private bool Took(int read)
    {
        if (read == 0 && insideFrame) throw new InvalidDataException("the zstd data ends too early (truncated file)");
        (inputStart, inputEnd) = (0, read);
        return read > 0;
    }

    // Runs the decoder once over what input is left; it may hold output back from earlier input, so it is called before reading more.
    private unsafe int Step(Span<byte> output)
    {
        ObjectDisposedException.ThrowIf(context == 0, this);
        if (inputStart == inputEnd && !insideFrame) return 0;
        fixed (byte* from = input)
        fixed (byte* to = output)
        {
            var packed = new Buffer { Data = from, Size = (nuint)inputEnd, Position = (nuint)inputStart };
            var target = new Buffer { Data = to, Size = (nuint)output.Length, Position = 0 };
            var left = ZSTD_decompressStream(context, &target, &packed);
            ThrowOnError(left);
            insideFrame = left != 0;
            inputStart = (int)packed.Position;
            return (int)target.Position;
        }
    }

    private static void ThrowOnError(nuint code)
    {
        if (ZSTD_isError(code) != 0)
            throw new InvalidDataException($"the zstd data is broken ({Marshal.PtrToStringUTF8(ZSTD_getErrorName(code))})");
    }

    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct Buffer
    {
        public byte* Data;
        public nuint Size;
        public nuint Position;
    }

    private const string Library = "libzstd.so.1";

    [LibraryImport(Library)]
    private static partial nint ZSTD_createDCtx();

    [LibraryImport(Library)]
    private static partial nuint ZSTD_freeDCtx(nint context);

    [LibraryImport(Library)]
    private static partial nuint ZSTD_DCtx_setParameter(nint context, int parameter, int value);

    [LibraryImport(Library)]
    private static unsafe partial nuint ZSTD_decompressStream(nint context, Buffer* output, Buffer* input);

    [LibraryImport(Library)]
    private static partial uint ZSTD_isError(nuint code);

    [LibraryImport(Library)]
    private static partial nint ZSTD_getErrorName(nuint code);
}
