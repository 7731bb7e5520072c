using System.Buffers.Binary;
using System.Diagnostics;
using DmlPipeline.Imaging;

namespace DmlPipeline.Tests.Services.Imaging;

/// <summary>Broken files by the ten thousand: each ends in an image or a reason, and good files decode right all the while.</summary>
public class FuzzTests
{
    private const int FilesPerSeed = 25_000;
    private const int GoodFileEvery = 100;
    private const long MostMemoryGrowth = 256 << 20;

    private static readonly ImageLimits Small = new() { MaxPixels = 1_000_000, MaxBytes = 1 << 20 };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Mutated_files_give_an_image_or_a_reason_and_never_spoil_a_good_one(int seed)
    {
        var random = new Random(seed);
        var names = Fixtures.Expected.Keys.Append("animated.webp").Order(StringComparer.Ordinal).ToArray();
        var files = names.Select(Fixtures.Bytes).ToArray();
        var memoryBefore = WorkingSet();
        int images = 0, refused = 0;

        for (var i = 0; i < FilesPerSeed; i++)
        {
            if (i % GoodFileEvery == 0) CheckGood(names[random.Next(names.Length)]);
            if (IsDecoded(Mutate(random, files), random)) images++;
            else refused++;
        }

        foreach (var name in names) CheckGood(name);
        // Both outcomes must be common, or the mutations test nothing.
        images.ShouldBeGreaterThan(FilesPerSeed / 10);
        refused.ShouldBeGreaterThan(FilesPerSeed / 5);
        (WorkingSet() - memoryBefore).ShouldBeLessThan(MostMemoryGrowth);
    }

    /// <summary>Anything but an image or an <see cref="ImageException"/> passes through and fails the test.</summary>
    private static bool IsDecoded(byte[] file, Random random)
    {
        var channels = random.Next(2) == 0 ? 1 : 3;
        var target = random.Next(3) == 0 ? random.Next(1, 40) : 0;
        try
        {
            var image = ImageDecoder.Decode(file, channels, target, target, Small);
            image.Channels.ShouldBe(channels);
            var info = ImageDecoder.ReadHeader(file, Small);
            if (target == 0) (image.Width, image.Height).ShouldBe((info.Width, info.Height));
            ImageResizer.Resize(image, 9, 8).Pixels.Length.ShouldBe(72 * channels);
            return true;
        }
        catch (ImageException e)
        {
            e.Message.ShouldNotBeEmpty();
            return false;
        }
    }

    private static void CheckGood(string name)
    {
        if (!Fixtures.Expected.TryGetValue(name, out var expected)) return;
        Fixtures.LargestDifference(Fixtures.Decode(name, 3).Pixels, expected.Rgb).ShouldBeLessThanOrEqualTo(DecoderTests.Tolerance(name), name);
    }

    private static byte[] Mutate(Random random, byte[][] files)
    {
        var file = (byte[])files[random.Next(files.Length)].Clone();
        for (var rounds = random.Next(3) == 0 ? 3 : 1; rounds > 0 && file.Length > 4; rounds--)
            file = random.Next(11) switch
            {
                0 or 1 or 2 => FlipBits(random, file, file.Length),
                3 => FlipBits(random, file, Math.Min(64, file.Length)),
                4 => file[..random.Next(1, file.Length)],
                5 => Splice(random, file, files[random.Next(files.Length)]),
                6 => RepeatPart(random, file),
                7 => RemovePart(random, file),
                8 => PlantNumber(random, file),
                _ => PngChunks.ChangeRows(file, rows => FlipBits(random, rows, rows.Length)) ?? FlipBits(random, file, file.Length),
            };
        // Without right sums a PNG decoder would look at nothing else.
        if (random.Next(4) != 0 && file.Length > 8 && file[0] == 0x89) PngChunks.RepairSums(file);
        return file;
    }

    private static byte[] FlipBits(Random random, byte[] file, int within)
    {
        for (var n = random.Next(2) == 0 ? 1 : random.Next(2, 9); n > 0; n--) file[random.Next(within)] ^= (byte)(1 << random.Next(8));
        return file;
    }

    private static byte[] Splice(Random random, byte[] head, byte[] tail) =>
        [.. head.AsSpan(0, random.Next(head.Length)), .. tail.AsSpan(random.Next(tail.Length))];

    private static byte[] RepeatPart(Random random, byte[] file)
    {
        var (from, to) = Part(random, file);
        return [.. file.AsSpan(0, to), .. file.AsSpan(from)];
    }

    private static byte[] RemovePart(Random random, byte[] file)
    {
        var (from, to) = Part(random, file);
        return [.. file.AsSpan(0, from), .. file.AsSpan(to)];
    }

    private static (int From, int To) Part(Random random, byte[] file)
    {
        var from = random.Next(file.Length);
        return (from, random.Next(from, Math.Min(file.Length, from + 64)));
    }

    /// <summary>Lengths and sizes are where decoders go wrong.</summary>
    private static byte[] PlantNumber(Random random, byte[] file)
    {
        ReadOnlySpan<uint> numbers = [0, 1, 0x7F, 0x80, 0xFF, 0x100, 1000, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF];
        var number = numbers[random.Next(numbers.Length)];
        var at = file.AsSpan(random.Next(file.Length - 4));
        if (random.Next(2) == 0) BinaryPrimitives.WriteUInt16BigEndian(at, (ushort)number);
        else if (random.Next(2) == 0) BinaryPrimitives.WriteUInt32BigEndian(at, number);
        else BinaryPrimitives.WriteUInt32LittleEndian(at, number);
        return file;
    }

    private static long WorkingSet()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
