using System.Buffers;
using System.Security.Cryptography;

namespace DmlPipeline.Storage.S3;

/// <summary>A piece of an object on its way to the store; its memory goes back to the pool when it is disposed.</summary>
internal sealed class Part(int number, byte[] buffer, int length) : IDisposable
{
    public int Number => number;

    public int Length => length;

    public Digest Hash { get; } = new(Md5(buffer.AsSpan(0, length)));

    public MemoryStream Open() => new(buffer, 0, length, writable: false);

    public void Dispose() => ArrayPool<byte>.Shared.Return(buffer);

#pragma warning disable CA5351 // what S3 calls an ETag is an MD5, whatever we think of it
    internal static byte[] Md5(ReadOnlySpan<byte> bytes) => MD5.HashData(bytes);
#pragma warning restore CA5351

    /// <summary>What remains of a part when its bytes are gone.</summary>
    public sealed record Digest(byte[] Bytes)
    {
        /// <summary>As servers give it for a part, or for an object that was sent in one.</summary>
        public string ETag { get; } = Convert.ToHexStringLower(Bytes);
    }
}

/// <summary>Cuts a stream of unknown length into parts, and hashes it on the way.</summary>
internal sealed class PartReader(Stream content, int partBytes) : IDisposable
{
    private const int PartsOfEachSize = 2000;
    private const int FirstBuffer = 1 << 16;

    private readonly IncrementalHash sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private int number;

    public long Bytes { get; private set; }

    /// <summary>Whether the stream ended inside the last part; unknown before another is asked for when it ended with it.</summary>
    public bool Ended { get; private set; }

    /// <returns>Null when nothing is left. The first part may be empty.</returns>
    public async Task<Part?> Next(CancellationToken cancel)
    {
        if (Ended) return null;
        // S3 allows 10,000 parts: doubled now and then, they reach a terabyte while most objects keep parts of one size.
        var size = (int)Math.Min((long)partBytes << (number / PartsOfEachSize), 1 << 30);
        var buffer = ArrayPool<byte>.Shared.Rent(number == 0 ? Math.Min(FirstBuffer, size) : size);
        var length = 0;
        try
        {
            while (length < size)
            {
                if (length == buffer.Length) buffer = Grow(buffer, size);
                var read = await content.ReadAsync(buffer.AsMemory(length, Math.Min(buffer.Length, size) - length), cancel);
                if (read == 0)
                {
                    Ended = true;
                    break;
                }
                length += read;
            }
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
        sha256.AppendData(buffer, 0, length);
        Bytes += length;
        if (length == 0 && number > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            return null;
        }
        return new Part(++number, buffer, length);
    }

    /// <summary>Of everything read so far.</summary>
    public string Sha256() => Convert.ToHexStringLower(sha256.GetCurrentHash());

    public void Dispose() => sha256.Dispose();

    // Most objects are small: they must not each take the memory of a whole part.
    private static byte[] Grow(byte[] buffer, int most)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Min(most, buffer.Length * 2));
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }
}
