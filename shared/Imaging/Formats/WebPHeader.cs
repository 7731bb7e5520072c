using System.Buffers.Binary;
using DmlPipeline.Imaging.Native;

namespace DmlPipeline.Imaging.Formats;

/// <summary>What decoding a WebP needs to know beforehand (RFC 9649).</summary>
internal readonly record struct WebPHeader(int Width, int Height, bool HasAlpha, int Orientation)
{
    private const int RiffFrame = 12;

    public static unsafe WebPHeader Read(ReadOnlySpan<byte> file)
    {
        var riffBytes = BinaryPrimitives.ReadUInt32LittleEndian(file[4..]);
        if (riffBytes > (uint)file.Length - 8) throw Reasons.Truncated("WebP");

        WebP.Features features;
        int status;
        fixed (byte* data = file)
            status = WebP.GetFeatures(data, (nuint)file.Length, &features, WebP.DecoderAbi);
        if (status == 7) throw Reasons.Truncated("WebP");
        if (status != 0 || features.Width <= 0 || features.Height <= 0) throw Reasons.Damaged("WebP", "its header makes no sense");
        if (features.HasAnimation != 0) throw new ImageException("the WebP is an animation, which is not supported; save one frame as a still image");
        return new WebPHeader(features.Width, features.Height, features.HasAlpha != 0, FindOrientation(file));
    }

    /// <summary>The EXIF chunk follows the pixels, so the chunks are walked; chunks that overrun the file end the search.</summary>
    private static int FindOrientation(ReadOnlySpan<byte> file)
    {
        for (var rest = file[RiffFrame..]; rest.Length >= 8;)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
            if (length > (uint)rest.Length - 8) break;
            var chunk = rest.Slice(8, (int)length);
            if (rest.StartsWith("EXIF"u8))
                return ExifOrientation.Read(chunk.StartsWith("Exif\0\0"u8) ? chunk[6..] : chunk);
            rest = rest[Math.Min(rest.Length, 8 + (int)length + (int)(length & 1))..];
        }
        return ExifOrientation.Upright;
    }
}
