using System.Buffers.Binary;
using System.IO.Compression;

namespace DmlPipeline.Tests.Services.Imaging;

/// <summary>Makes a changed PNG consistent again, so that the change itself is what the decoder meets.</summary>
internal static class PngChunks
{
    /// <summary>Recomputes the check sum of every chunk that lies inside the file.</summary>
    public static void RepairSums(Span<byte> file)
    {
        for (var position = 8; position + 12 <= file.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(file[position..]);
            if (length > file.Length - position - 12) return;
            var covered = file.Slice(position + 4, (int)length + 4);
            BinaryPrimitives.WriteUInt32BigEndian(file[(position + 8 + (int)length)..], Crc32(covered));
            position += (int)length + 12;
        }
    }

    /// <summary>Changes what lies inside the compression: filters and samples. Null when the file is no intact PNG.</summary>
    public static byte[]? ChangeRows(byte[] file, Func<byte[], byte[]> change)
    {
        if (file.Length < 8 || file[0] != 0x89) return null;
        using var compressed = new MemoryStream();
        var before = new List<byte>(file[..8]);
        for (var position = 8; position + 12 <= file.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(position));
            if (length > file.Length - position - 12) return null;
            var chunk = file.AsSpan(position, (int)length + 12);
            if (chunk[4..8].SequenceEqual("IDAT"u8)) compressed.Write(chunk[8..^4]);
            else if (compressed.Length == 0) before.AddRange(chunk);
            position += chunk.Length;
        }

        compressed.Position = 0;
        using var rows = new MemoryStream();
        try
        {
            using var inflater = new ZLibStream(compressed, CompressionMode.Decompress);
            inflater.CopyTo(rows);
        }
        catch (InvalidDataException)
        {
            return null;
        }
        if (rows.Length == 0) return null;

        using var recompressed = new MemoryStream();
        using (var deflater = new ZLibStream(recompressed, CompressionLevel.Fastest, leaveOpen: true))
            deflater.Write(change(rows.ToArray()));
        byte[] changed = [.. before, .. Chunk("IDAT"u8, recompressed.ToArray()), .. Chunk("IEND"u8, [])];
        RepairSums(changed);
        return changed;
    }

    private static byte[] Chunk(ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        var chunk = new byte[data.Length + 12];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        type.CopyTo(chunk.AsSpan(4));
        data.CopyTo(chunk.AsSpan(8));
        return chunk;
    }

    private static uint Crc32(ReadOnlySpan<byte> data)
    {
        var sum = ~0u;
        foreach (var b in data)
        {
            sum ^= b;
            for (var bit = 0; bit < 8; bit++) sum = (sum >> 1) ^ ((sum & 1) == 0 ? 0 : 0xEDB88320);
        }
        return ~sum;
    }
}
