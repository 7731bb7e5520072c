using Microsoft.Win32.SafeHandles;

namespace DmlPipeline.Ingestion;

/// <summary>
/// One temporary file in which checked images wait until it is known which of them the version takes, so that memory stays flat.
/// Thread-safe; gone when disposed.
/// </summary>
internal sealed class Spool : IDisposable
{
    private readonly SafeFileHandle file;
    private long end;

    public Spool(string folder)
    {
        Directory.CreateDirectory(folder);
        file = TemporaryFile.CreateHandle(folder);
    }

    /// <returns>The offset to read the bytes back from.</returns>
    public long Append(ReadOnlySpan<byte> bytes)
    {
        var offset = Interlocked.Add(ref end, bytes.Length) - bytes.Length;
        RandomAccess.Write(file, bytes, offset);
        return offset;
    }

    public byte[] Read(long offset, long length)
    {
        var bytes = new byte[length];
        for (var done = 0; done < bytes.Length;)
        {
            var read = RandomAccess.Read(file, bytes.AsSpan(done), offset + done);
            if (read == 0) throw new EndOfStreamException("The temporary file of this build was cut short by another program.");
            done += read;
        }
        return bytes;
    }

    public void Dispose() => file.Dispose();
}
