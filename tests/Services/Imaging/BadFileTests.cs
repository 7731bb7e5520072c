using System.Buffers.Binary;
using System.Text;
using DmlPipeline.Imaging;

namespace DmlPipeline.Tests.Services.Imaging;

public class BadFileTests
{
    public static TheoryData<string, string> NotImages => new()
    {
        { "", "the file is empty" },
        { "hello, this is no image", "a text file" },
        { "<!DOCTYPE html><html>", "an HTML page" },
        { "<?xml version='1.0'?><svg xmlns='x'/>", "an SVG drawing" },
        { "<?xml version='1.0'?><note/>", "an XML file" },
        { "{\"a\": 1}", "a JSON file" },
        { "GIF89a----------", "a GIF image" },
        { "BM6000\0\0\0\0----------", "a BMP image" },
        { "II*\0----------", "a TIFF or camera raw image" },
        { "\0\0\0\x18" + "ftypheic----", "a HEIC image" },
        { "\0\0\0\x18" + "ftypavif----", "an AVIF image" },
        { "\0\0\0\x18" + "ftypisom----", "an MP4 or QuickTime video" },
        { "%PDF-1.7", "a PDF document" },
        { "PK\x03\x04----", "a zip archive" },
        { "\x1F\u008B\b----", "a gzip file" },
        { "RIFF----WAVE", "a RIFF file such as WAV or AVI sound or video" },
        { "8BPS----", "a Photoshop document" },
        { "\0\0\0\x0CjP  ", "a JPEG 2000 image" },
        { "\u00FF\n----", "a JPEG XL image" },
        { "\0\0\0\0\0\0\0\0", "a file of zeros only" },
        { "\u0089PNG\n\x1A\n", "a PNG image whose line ends were converted (transferred as text)" },
        { "version https://git-lfs.github.com/spec/v1", "a Git LFS pointer; fetch the real file with git lfs pull" },
        { "\x01\x02\x03\x04\x05", "data of an unknown kind" },
    };

    public static TheoryData<string> Truncatable => ["colour-420.jpg", "progressive.jpg", "colour-8.png", "odd-extras.png", "lossy.webp", "lossless-alpha.webp"];

    [Theory, MemberData(nameof(NotImages))]
    public void A_file_that_is_no_image_is_called_what_it_is(string content, string looksLike)
    {
        Refusal(Encoding.Latin1.GetBytes(content)).ShouldEndWith(looksLike);
    }

    [Theory, MemberData(nameof(Truncatable))]
    public void Every_shortening_of_a_file_is_refused(string name)
    {
        var file = Fixtures.Bytes(name);

        for (var length = 0; length < file.Length; length++)
        {
            Should.Throw<ImageException>(() => Decode(file.AsSpan(0, length)), $"the first {length} bytes of {name}");
            Should.Throw<ImageException>(() => ImageDecoder.ReadHeader(file.AsSpan(0, length), ImageLimits.Default));
        }
        Refusal(file[..(file.Length * 2 / 3)]).ShouldContain("ends too early (truncated file)");
    }

    [Fact]
    public void A_jpeg_whose_data_stop_before_its_end_marker_is_truncated_too()
    {
        var file = Fixtures.Bytes("colour-444.jpg");

        Refusal([.. file[..^100], 0xFF, 0xD9]).ShouldBe("the JPEG data ends too early (truncated file)");
    }

    [Theory]
    [InlineData(20_000, 30_000, "the image is 20000x30000 = 600000000 pixels, the limit is 64000000")]
    [InlineData(40_000, 1, "the image is 40000x1 pixels, the limit for one side is 32768")]
    [InlineData(0, 7, "the PNG data is damaged: its size is 0x7")]
    public void A_size_over_the_limits_is_refused_before_memory_is_taken(int width, int height, string message)
    {
        var file = Fixtures.Bytes("grey-8.png");
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(20), height);
        PngChunks.RepairSums(file);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Refusal(file).ShouldBe(message);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(1_000_000);
    }

    [Fact]
    public void Limits_are_the_callers()
    {
        Refusal(Fixtures.Bytes("grey-8.png"), new ImageLimits { MaxPixels = 390 }).ShouldBe("the image is 23x17 = 391 pixels, the limit is 390");
        Refusal(Fixtures.Bytes("lossy.webp"), new ImageLimits { MaxSide = 22 }).ShouldBe("the image is 23x17 pixels, the limit for one side is 22");
        Refusal(Fixtures.Bytes("grey.jpg"), new ImageLimits { MaxBytes = 100 }).ShouldEndWith("bytes, the limit is 100");
        Refusal(Fixtures.Bytes("progressive.jpg"), new ImageLimits { MaxScans = 3 }).ShouldStartWith("the JPEG has more than 3 scans");
    }

    [Fact]
    public void A_decode_that_takes_too_long_is_stopped()
    {
        var file = PngEncoder.Encode(new Image(300, 300, 1, new byte[90_000]));

        Refusal(file, new ImageLimits { MaxTime = TimeSpan.Zero }).ShouldBe("decoding took longer than the limit of 0 seconds");
    }

    [Fact]
    public void A_progressive_jpeg_with_scans_without_end_is_refused()
    {
        var file = Fixtures.Bytes("progressive.jpg");
        var lastScan = file.AsSpan().LastIndexOf((ReadOnlySpan<byte>)[0xFF, 0xDA]);
        var bomb = new List<byte>(file[..^2]);
        for (var i = 0; i < 1000; i++) bomb.AddRange(file[lastScan..^2]);
        bomb.AddRange([0xFF, 0xD9]);

        Refusal([.. bomb]).ShouldStartWith("the JPEG has more than 64 scans");
        Refusal(Fixtures.Bytes("progressive.jpg"), new ImageLimits { MaxPixels = 391, MaxScans = 64 }).ShouldBe("accepted");
        Refusal([.. bomb], new ImageLimits { MaxPixels = 391, MaxScans = 5000 }).ShouldEndWith("which would take too long to decode");
    }

    [Theory]
    [InlineData(0xC3, 8, 3, "lossless or hierarchical")]
    [InlineData(0xC0, 12, 3, "12 bits per sample")]
    [InlineData(0xC0, 8, 2, "2 colour components")]
    public void A_jpeg_of_an_unsupported_kind_is_refused_with_the_remedy(byte marker, byte bits, byte components, string reason)
    {
        var file = Fixtures.Bytes("colour-444.jpg");
        var frame = file.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC0]);
        file[frame + 1] = marker;
        file[frame + 4] = bits;
        file[frame + 9] = components;

        Refusal(file).ShouldContain(reason);
    }

    [Fact]
    public void An_animated_webp_is_refused_with_the_remedy()
    {
        Refusal(Fixtures.Bytes("animated.webp")).ShouldBe("the WebP is an animation, which is not supported; save one frame as a still image");
    }

    [Fact]
    public void A_flipped_bit_anywhere_in_a_pngs_pixel_data_or_its_sums_is_noticed()
    {
        var file = Fixtures.Bytes("colour-8.png");
        var data = file.AsSpan().IndexOf("IDAT"u8);

        for (var i = data; i < file.Length - 12; i++)
        {
            var flipped = (byte[])file.Clone();
            flipped[i] ^= 4;
            Should.Throw<ImageException>(() => Decode(flipped), $"bit flipped in byte {i}");
        }
    }

    private static string Refusal(byte[] file, ImageLimits? limits = null)
    {
        try
        {
            ImageDecoder.Decode(file, 3, 0, 0, limits ?? ImageLimits.Default);
            return "accepted";
        }
        catch (ImageException e)
        {
            return e.Message;
        }
    }

    private static Image Decode(ReadOnlySpan<byte> file) => ImageDecoder.Decode(file, 3, 0, 0, ImageLimits.Default);
}
