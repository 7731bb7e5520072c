using System.Buffers.Binary;

namespace DmlPipeline.Imaging.Formats;

/// <summary>The orientation tag of an EXIF block (CIPA DC-008, tag 0x0112 of IFD0). A damaged block reads as "upright": it must not cost an image.</summary>
internal static class ExifOrientation
{
    public const int Upright = 1;

    private const int OrientationTag = 0x0112;
    private const int ShortType = 3;

    /// <param name="tiff">The block from its TIFF header ("II*" or "MM") on.</param>
    public static int Read(ReadOnlySpan<byte> tiff)
    {
        if (tiff.Length < 14) return Upright;
        var little = tiff[0] == 'I' && tiff[1] == 'I';
        if (!little && !(tiff[0] == 'M' && tiff[1] == 'M')) return Upright;
        if (Short(tiff[2..], little) != 42) return Upright;
        var directory = little ? BinaryPrimitives.ReadUInt32LittleEndian(tiff[4..]) : BinaryPrimitives.ReadUInt32BigEndian(tiff[4..]);
        if (directory > (uint)tiff.Length - 2) return Upright;

        var entries = tiff[(int)directory..];
        var count = Short(entries, little);
        entries = entries[2..];
        for (var i = 0; i < count && entries.Length >= 12; i++, entries = entries[12..])
        {
            if (Short(entries, little) != OrientationTag) continue;
            var value = Short(entries[8..], little);
            return Short(entries[2..], little) == ShortType && value is >= 1 and <= 8 ? value : Upright;
        }
        return Upright;
    }

    private static int Short(ReadOnlySpan<byte> at, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(at) : BinaryPrimitives.ReadUInt16BigEndian(at);
}
