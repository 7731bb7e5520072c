using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.InteropServices;
using DmlPipeline.Imaging;

namespace DmlPipeline.Benchmarks;

/// <summary>Images per second on one thread, from file bytes to resized pixels: decode, resize, and both.</summary>
internal static class ImagingBenchmark
{
    private static readonly TimeSpan Warmup = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(2);

    /// <summary>Without arguments all cases are measured; an argument selects those whose name contains it. --write FOLDER keeps the files.</summary>
    public static int Run(string[] args)
    {
        Case[] cases =
        [
            new("jpeg-500x375-to-224", Jpeg(500, 375), 3, 224, 224),
            new("jpeg-100x100-to-64", Jpeg(100, 100), 3, 64, 64),
            new("jpeg-2000x1500-to-224", Jpeg(2000, 1500), 3, 224, 224),
            new("png-1bit-105x105-to-28", OneBitPng(105), 1, 28, 28),
            new("png-rgb-256x256-to-64", PngEncoder.Encode(Picture(256, 256)), 3, 64, 64),
        ];
        if (args is ["--write", var folder])
        {
            Directory.CreateDirectory(folder);
            foreach (var c in cases) File.WriteAllBytes(Path.Combine(folder, c.Name), c.File);
            return 0;
        }

        Console.WriteLine($"{"case",-26}{"bytes",9}{"decode/s",12}{"resize/s",12}{"both/s",12}");
        foreach (var c in cases)
        {
            if (args.Length > 0 && !c.Name.Contains(args[0], StringComparison.Ordinal)) continue;
            var full = Decode(c);
            var decode = PerSecond(() => Decode(c));
            var resize = PerSecond(() => ImageResizer.Resize(full, c.Width, c.Height));
            var both = PerSecond(() => ImageResizer.Resize(Decode(c), c.Width, c.Height));
            Console.WriteLine($"{c.Name,-26}{c.File.Length,9}{decode,12:N0}{resize,12:N0}{both,12:N0}");
        }
        return 0;
    }

    private static Image Decode(Case c) => ImageDecoder.Decode(c.File, c.Channels, c.Width, c.Height, ImageLimits.Default);

    private static double PerSecond(Func<Image> work)
    {
        for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < Warmup;) work();
        var begin = Stopwatch.GetTimestamp();
        var count = 0;
        for (; Stopwatch.GetElapsedTime(begin) < Measured; count++) work();
        return count / Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    /// <summary>Smooth shapes with some noise: compresses about as well as a photograph.</summary>
    private static Image Picture(int width, int height)
    {
        var random = new Random(1);
        var pixels = new byte[width * height * 3];
        for (int y = 0, i = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                for (var c = 0; c < 3; c++, i++)
                {
                    var wave = Math.Sin((x * (c + 2) * 0.021) + (y * 0.017)) + Math.Cos((y * (c + 1) * 0.033) - (x * 0.009));
                    pixels[i] = (byte)Math.Clamp(128 + (55 * wave) + random.Next(-8, 9), 0, 255);
                }
        return new Image(width, height, 3, pixels);
    }

    private static byte[] Jpeg(int width, int height)
    {
        const int rgb = 0, subsampling420 = 2, quality = 87;
        var picture = Picture(width, height);
        var encoder = InitCompress();
        nint encoded = 0;
        nuint size = 0;
        if (Compress(encoder, picture.Pixels, width, 0, height, rgb, ref encoded, ref size, subsampling420, quality, 0) != 0)
            throw new InvalidOperationException("libturbojpeg could not encode the benchmark's picture.");
        var file = new byte[(int)size];
        Marshal.Copy(encoded, file, 0, file.Length);
        Free(encoded);
        _ = Destroy(encoder);
        return file;
    }

    /// <summary>A ring and a stroke in black on white, one bit a pixel, as Omniglot stores its drawings.</summary>
    private static byte[] OneBitPng(int side)
    {
        var stride = (side + 7) / 8;
        var rows = new byte[side * (stride + 1)];
        for (var y = 0; y < side; y++)
            for (var x = 0; x < side; x++)
            {
                var ring = Math.Abs(Math.Sqrt(((x - 50) * (x - 50)) + ((y - 45) * (y - 45))) - 30) < 1.5;
                if (!ring && Math.Abs((2 * x) - y - 40) > 2) rows[(y * (stride + 1)) + 1 + (x / 8)] |= (byte)(0x80 >> (x % 8));
            }

        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, side);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), side);
        header[8] = 1;
        WriteChunk(file, "IHDR"u8, header);
        using var compressed = new MemoryStream();
        using (var deflate = new ZLibStream(compressed, CompressionLevel.SmallestSize, leaveOpen: true)) deflate.Write(rows);
        WriteChunk(file, "IDAT"u8, compressed.ToArray());
        WriteChunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    private static void WriteChunk(MemoryStream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        byte[] covered = [.. type, .. data];
        var crc = ~0u;
        foreach (var b in covered)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
        }
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(covered);
        BinaryPrimitives.WriteUInt32BigEndian(number, ~crc);
        file.Write(number);
    }

    [DllImport("libturbojpeg.so.0", EntryPoint = "tjInitCompress", ExactSpelling = true)]
    private static extern nint InitCompress();

    [DllImport("libturbojpeg.so.0", EntryPoint = "tjCompress2", ExactSpelling = true)]
    private static extern int Compress(
        nint handle, byte[] pixels, int width, int pitch, int height, int pixelFormat, ref nint jpeg, ref nuint size, int subsampling, int quality, int flags);

    [DllImport("libturbojpeg.so.0", EntryPoint = "tjFree", ExactSpelling = true)]
    private static extern void Free(nint buffer);

    [DllImport("libturbojpeg.so.0", EntryPoint = "tjDestroy", ExactSpelling = true)]
    private static extern int Destroy(nint handle);

    private sealed record Case(string Name, byte[] File, int Channels, int Width, int Height);
}
