using System.Buffers.Binary;

namespace DmlPipeline.Imaging.Formats;

/// <summary>What decoding a JPEG needs to know beforehand, from one walk over its markers (ITU-T T.81, annex B).</summary>
internal readonly record struct JpegHeader(int Width, int Height, int Components, bool Progressive, int Scans, int Orientation, bool Adobe)
{
    private const int StartOfScan = 0xDA;
    private const int EndOfImage = 0xD9;

    /// <summary>Walks to the end-of-image marker, so that truncation and scan bombs are found without decoding.</summary>
    public static JpegHeader Read(ReadOnlySpan<byte> file, ImageLimits limits)
    {
        var header = new JpegHeader(0, 0, 0, Progressive: false, 0, ExifOrientation.Upright, Adobe: false);
        var position = 2;
        while (true)
        {
            var marker = NextMarker(file, ref position);
            if (marker == EndOfImage) break;
            if (position + 2 > file.Length) throw Reasons.Truncated("JPEG");
            var length = BinaryPrimitives.ReadUInt16BigEndian(file[position..]);
            if (length < 2) throw Reasons.Damaged("JPEG", "a segment has an impossible length");
            if (position + length > file.Length) throw Reasons.Truncated("JPEG");
            var segment = file.Slice(position + 2, length - 2);
            position += length;

            if (IsFrame(marker))
                header = ReadFrame(header, marker, segment);
            else if (marker == 0xE1 && segment.StartsWith("Exif\0"u8) && segment.Length > 6 && header.Orientation == ExifOrientation.Upright)
                header = header with { Orientation = ExifOrientation.Read(segment[6..]) };
            else if (marker == 0xEE && segment.StartsWith("Adobe"u8))
                header = header with { Adobe = true };
            else if (marker == StartOfScan)
            {
                header = header with { Scans = header.Scans + 1 };
                if (header.Scans > limits.MaxScans)
                    throw new ImageException($"the JPEG has more than {limits.MaxScans} scans, which no ordinary program writes");
            }
        }
        if (header.Width == 0 || header.Scans == 0) throw Reasons.Damaged("JPEG", "it holds no image");
        return header;
    }

    /// <summary>Moves past the next marker; stuffed zeros and restart markers inside a scan's data are skipped.</summary>
    private static int NextMarker(ReadOnlySpan<byte> file, ref int position)
    {
        while (true)
        {
            var found = file[position..].IndexOf((byte)0xFF);
            if (found < 0 || position + found + 1 >= file.Length) throw Reasons.Truncated("JPEG");
            position += found + 1;
            var marker = file[position];
            if (marker == 0xFF) continue; // fill byte: the next one may be the marker
            position++;
            if (marker is not (0 or 1 or (>= 0xD0 and <= 0xD8))) return marker;
        }
    }

    private static bool IsFrame(int marker) => marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC);

    private static JpegHeader ReadFrame(JpegHeader header, int marker, ReadOnlySpan<byte> segment)
    {
        if (header.Width != 0) throw Reasons.Damaged("JPEG", "it has two frame headers");
        if (segment.Length < 6) throw Reasons.Damaged("JPEG", "its frame header is too short");
        if (marker is not (0xC0 or 0xC1 or 0xC2 or 0xC9 or 0xCA))
            throw new ImageException("the JPEG is of a lossless or hierarchical kind, which is not supported; save it as an ordinary JPEG or as PNG");
        if (segment[0] != 8)
            throw new ImageException($"the JPEG has {segment[0]} bits per sample, only 8 are supported; save it as an ordinary JPEG or as PNG");
        var height = BinaryPrimitives.ReadUInt16BigEndian(segment[1..]);
        var width = BinaryPrimitives.ReadUInt16BigEndian(segment[3..]);
        if (width == 0 || height == 0) throw Reasons.Damaged("JPEG", $"its size is {width}x{height}");
        if (segment[5] is not (1 or 3 or 4))
            throw new ImageException($"the JPEG has {segment[5]} colour components; 1 (grey), 3 (colour) and 4 (CMYK) are supported");
        return header with { Width = width, Height = height, Components = segment[5], Progressive = marker is 0xC2 or 0xCA };
    }
}
