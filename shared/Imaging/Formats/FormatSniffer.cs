namespace DmlPipeline.Imaging.Formats;

/// <summary>Tells a file's format by its first bytes, and names what it is instead when it is no image that can be read.</summary>
internal static class FormatSniffer
{
    public static ImageFormat Sniff(ReadOnlySpan<byte> file)
    {
        if (file.IsEmpty) throw new ImageException("the file is empty");
        if (file.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF])) return ImageFormat.Jpeg;
        if (IsPng(file)) return ImageFormat.Png;
        if (file.Length >= 12 && file.StartsWith("RIFF"u8) && file[8..].StartsWith("WEBP"u8)) return ImageFormat.WebP;
        throw new ImageException($"it is not a JPEG, PNG or WebP image; it looks like {Describe(file)}");
    }

    private static bool IsPng(ReadOnlySpan<byte> file) =>
        file.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);

    private static string Describe(ReadOnlySpan<byte> file)
    {
        if (file.StartsWith("GIF8"u8)) return "a GIF image";
        if (file.StartsWith("BM"u8) && file.Length >= 14 && file.Slice(6, 4).IndexOfAnyExcept((byte)0) < 0) return "a BMP image";
        if (file.StartsWith("II*\0"u8) || file.StartsWith("MM\0*"u8)) return "a TIFF or camera raw image";
        if (file.Length >= 12 && file[4..].StartsWith("ftyp"u8)) return DescribeIsoMedia(file.Slice(8, 4));
        if (file.StartsWith("8BPS"u8)) return "a Photoshop document";
        if (file.StartsWith((ReadOnlySpan<byte>)[0, 0, 1, 0])) return "a Windows icon";
        if (file.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x0A]) || file.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 0x0C, (byte)'J', (byte)'X', (byte)'L'])) return "a JPEG XL image";
        if (file.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 0x0C, (byte)'j', (byte)'P'])) return "a JPEG 2000 image";
        if (file.StartsWith("%PDF"u8)) return "a PDF document";
        if (file.StartsWith("PK\x03\x04"u8) || file.StartsWith("PK\x05\x06"u8)) return "a zip archive";
        if (file.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B])) return "a gzip file";
        if (file.Length > 262 && file[257..].StartsWith("ustar"u8)) return "a tar archive";
        if (file.StartsWith("RIFF"u8)) return "a RIFF file such as WAV or AVI sound or video";
        if (file.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G'])) return "a PNG image whose line ends were converted (transferred as text)";
        if (file.IndexOfAnyExcept((byte)0) < 0) return "a file of zeros only";
        return DescribeText(file[..Math.Min(file.Length, 512)]);
    }

    private static string DescribeIsoMedia(ReadOnlySpan<byte> brand)
    {
        if (brand.StartsWith("hei"u8) || brand.StartsWith("hev"u8) || brand.SequenceEqual("mif1"u8) || brand.SequenceEqual("msf1"u8)) return "a HEIC image";
        return brand.StartsWith("avi"u8) ? "an AVIF image" : "an MP4 or QuickTime video";
    }

    private static string DescribeText(ReadOnlySpan<byte> start)
    {
        if (start.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF])) start = start[3..];
        foreach (var b in start)
            if (b is < 9 or (> 13 and < 32) or 127)
                return "data of an unknown kind";
        var text = start.TrimStart(" \t\r\n"u8);
        if (text.StartsWith("<svg"u8) || text.IndexOf("<svg"u8) >= 0) return "an SVG drawing";
        if (text.StartsWith("<!"u8) || text.StartsWith("<html"u8) || text.StartsWith("<HTML"u8)) return "an HTML page";
        if (text.StartsWith("<"u8)) return "an XML file";
        if (text.StartsWith("version https://git-lfs"u8)) return "a Git LFS pointer; fetch the real file with git lfs pull";
        return text.StartsWith("{"u8) || text.StartsWith("["u8) ? "a JSON file" : "a text file";
    }
}
