using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace DmlPipeline.Imaging.Formats;

/// <summary>What decoding a PNG needs to know beforehand, from one walk over its chunks (W3C PNG, third edition).</summary>
internal readonly record struct PngHeader(int Width, int Height, int BitDepth, int ColourType, bool Interlaced)
{
    public const int Grey = 0;
    public const int Colour = 2;
    public const int Palette = 3;
    public const int GreyAlpha = 4;
    public const int ColourAlpha = 6;

    /// <summary>Signature, and the length and type of the first chunk.</summary>
    public const int ChunksStart = 8;

    /// <summary>Length, type and check sum around a chunk's data.</summary>
    public const int ChunkFrame = 12;

    private const int MaxChunks = 100_000;

    public PngChunkData PaletteChunk { get; private init; }

    public PngChunkData TransparencyChunk { get; private init; }

    public int Orientation { get; private init; } = ExifOrientation.Upright;

    /// <summary>Whether there are chunks that pixels do not depend on.</summary>
    public bool OtherChunks { get; private init; }

    public bool Transparency => TransparencyChunk.Length > 0;

    /// <summary>Samples a pixel, as stored.</summary>
    public int Samples => ColourType switch { Colour => 3, GreyAlpha => 2, ColourAlpha => 4, _ => 1 };

    /// <summary>Bytes of an unfiltered row.</summary>
    public int RowBytes => checked((int)((((long)Width * Samples * BitDepth) + 7) / 8));

    public bool IsGrey => ColourType is Grey or GreyAlpha;

    public bool HasAlpha => Transparency || ColourType is GreyAlpha or ColourAlpha;

    /// <summary>Walks to the end chunk, so that truncation is found without decoding.</summary>
    public static PngHeader Read(ReadOnlySpan<byte> file)
    {
        var header = ReadFirst(file);
        var position = ChunksStart;
        var sawData = false;
        for (var chunks = 0; ; chunks++)
        {
            if (chunks > MaxChunks) throw Reasons.Damaged("PNG", $"it has more than {MaxChunks} chunks");
            var (type, length) = ChunkAt(file, position);
            var data = file.Slice(position + 8, length);
            position += length + ChunkFrame;
            switch (type)
            {
                case ChunkType.End when sawData:
                    return header;
                case ChunkType.End:
                    throw Reasons.Damaged("PNG", "it holds no image data");
                case ChunkType.Data:
                    sawData = true;
                    break;
                case ChunkType.Palette:
                    header = header with { PaletteChunk = new PngChunkData(position - length - 4, length) };
                    break;
                case ChunkType.Transparency:
                    header = header with { TransparencyChunk = new PngChunkData(position - length - 4, length) };
                    break;
                case ChunkType.Header:
                    break;
                case ChunkType.Exif:
                    header = header with { Orientation = ExifOrientation.Read(data), OtherChunks = true };
                    break;
                default:
                    if (ChunkType.IsCritical(type)) throw Reasons.Damaged("PNG", "it has a chunk of an unknown kind that a decoder must understand");
                    header = header with { OtherChunks = true };
                    break;
            }
        }
    }

    /// <summary>Type and length of the chunk at <paramref name="position"/>, which lies inside the file with its check sum.</summary>
    public static (uint Type, int Length) ChunkAt(ReadOnlySpan<byte> file, int position)
    {
        if (position + ChunkFrame > file.Length) throw Reasons.Truncated("PNG");
        var length = BinaryPrimitives.ReadUInt32BigEndian(file[position..]);
        if (length > int.MaxValue) throw Reasons.Damaged("PNG", "a chunk has an impossible length");
        if (length > file.Length - position - ChunkFrame) throw Reasons.Truncated("PNG");
        return (BinaryPrimitives.ReadUInt32BigEndian(file[(position + 4)..]), (int)length);
    }

    private static PngHeader ReadFirst(ReadOnlySpan<byte> file)
    {
        var (type, length) = ChunkAt(file, ChunksStart);
        if (type != ChunkType.Header || length != 13) throw Reasons.Damaged("PNG", "it does not begin with a header chunk");
        var data = file.Slice(ChunksStart + 8, length);
        var width = BinaryPrimitives.ReadUInt32BigEndian(data);
        var height = BinaryPrimitives.ReadUInt32BigEndian(data[4..]);
        int depth = data[8], colour = data[9];
        if (width is 0 or > int.MaxValue || height is 0 or > int.MaxValue) throw Reasons.Damaged("PNG", $"its size is {width}x{height}");
        var valid = colour switch
        {
            Grey => depth is 1 or 2 or 4 or 8 or 16,
            Palette => depth is 1 or 2 or 4 or 8,
            Colour or GreyAlpha or ColourAlpha => depth is 8 or 16,
            _ => false,
        };
        if (!valid) throw Reasons.Damaged("PNG", $"colour type {colour} with {depth} bits does not exist");
        if (data[10] != 0 || data[11] != 0 || data[12] > 1) throw Reasons.Damaged("PNG", "its header names an unknown compression, filter or interlace method");
        return new PngHeader((int)width, (int)height, depth, colour, data[12] == 1);
    }

    /// <summary>Chunk types as big-endian numbers.</summary>
    public static class ChunkType
    {
        public const uint Header = 0x49484452; // IHDR
        public const uint Palette = 0x504C5445; // PLTE
        public const uint Transparency = 0x74524E53; // tRNS
        public const uint Data = 0x49444154; // IDAT
        public const uint End = 0x49454E44; // IEND
        public const uint Exif = 0x65584966; // eXIf

        /// <summary>Bit 5 of the first letter: a capital marks a chunk that no decoder may skip.</summary>
        public static bool IsCritical(uint type) => (type & 0x2000_0000) == 0;

        /// <summary>The chunks that pixels depend on.</summary>
        public static bool MakesPixels(uint type) => type is Header or Palette or Transparency or Data or End;
    }
}

/// <summary>Where a chunk's data lie in the file.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct PngChunkData(int Start, int Length)
{
    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> file) => file.Slice(Start, Length);
}
