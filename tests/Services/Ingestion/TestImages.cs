using DmlPipeline.Imaging;
using DmlPipeline.Tests.Services.Imaging;

namespace DmlPipeline.Tests.Services.Ingestion;

/// <summary>Small pictures: equal seeds give equal files, different seeds files that do not look alike.</summary>
internal static class TestImages
{
    public static byte[] Png(int seed, int side = 16, int channels = 1) => PngEncoder.Encode(Noise(seed, side, channels));

    public static byte[] InkOnPaper(int seed, int side = 16)
    {
        var pixels = new byte[side * side];
        Array.Fill(pixels, (byte)255);
        var random = new Random(seed);
        for (var i = 0; i < side; i++) pixels[(side / 4 + random.Next(side / 2)) * side + side / 4 + random.Next(side / 2)] = 0;
        return PngEncoder.Encode(new Image(side, side, 1, pixels));
    }

    public static byte[] Jpeg() => Fixtures.Bytes("colour-444.jpg");

    public static byte[] TruncatedJpeg() => Jpeg()[..(Jpeg().Length * 2 / 3)];

    /// <summary>A PNG whose header promises more pixels than any machine should allocate.</summary>
    public static byte[] HugeHeader()
    {
        var file = Png(1);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(16), 100_000);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(20), 100_000);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(29), Crc32(file.AsSpan(12, 17)));
        return file;
    }

    public static IEnumerable<(string Path, byte[] Bytes)> Classes(int classes, int imagesEach, string prefix = "class", int firstSeed = 0, int side = 16)
    {
        for (var c = 0; c < classes; c++)
            for (var i = 0; i < imagesEach; i++)
                yield return ($"{prefix}{c:00}/{i:00}.png", Png(firstSeed + c * 1000 + i, side));
    }

    private static Image Noise(int seed, int side, int channels)
    {
        var pixels = new byte[side * side * channels];
        new Random(seed).NextBytes(pixels);
        return new Image(side, side, channels, pixels);
    }

    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320u);
        }
        return ~crc;
    }
}
