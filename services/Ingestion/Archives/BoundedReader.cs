namespace DmlPipeline.Ingestion.Archives;

internal static class BoundedReader
{
    /// <summary>Reads a stream to its end, or gives up as soon as it proves longer than <paramref name="max"/> bytes.</summary>
    /// <param name="claimed">Length that a header promises: only a hint for the first buffer.</param>
    /// <param name="spend">Told of every piece that was read.</param>
    /// <returns>Null when there are more than <paramref name="max"/> bytes.</returns>
    public static async Task<byte[]?> Read(Stream stream, long claimed, long max, Action<long> spend, CancellationToken cancel)
    {
        // One byte more than claimed, so that the end is seen without growing; never more than 1 MiB on a mere claim.
        var buffer = new byte[Math.Clamp(claimed + 1, 512, 1 << 20)];
        var length = 0;
        while (true)
        {
            if (length == buffer.Length) Array.Resize(ref buffer, (int)Math.Min(Math.Max(buffer.Length * 2L, 4096), max + 1));
            var read = await stream.ReadAsync(buffer.AsMemory(length), cancel);
            if (read == 0) break;
            spend(read);
            length += read;
            if (length > max) return null;
        }
        return length == buffer.Length ? buffer : buffer[..length];
    }

    public static string TooLarge(long max) => $"it is larger than {max >> 20} MiB";
}
