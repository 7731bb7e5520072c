using System.Runtime.InteropServices;

namespace DmlPipeline.Imaging.Native;

/// <summary>libspng 0.7, declared from spng.h.</summary>
internal static unsafe partial class Spng
{
    public const int EncoderContext = 2;
    public const int FormatAsHeader = 256;
    public const int FormatRaw = 512; // as stored, 16-bit samples big-endian
    public const int SumError = 0; // a wrong check sum fails the file
    public const int DecodeProgressive = 256;
    public const int EncodeFinalize = 2;
    public const int OptionEncodeToBuffer = 12;
    public const int EndOfStream = -1;
    public const int OutOfMemory = 2;
    public const int EndOfFile = 68;
    public const int EndOfImage = 75;

    static Spng() => NativeLibraries.Register();

    [StructLayout(LayoutKind.Sequential)]
    public struct Header
    {
        public uint Width;
        public uint Height;
        public byte BitDepth;
        public byte ColourType;
        public byte Compression;
        public byte Filter;
        public byte Interlace;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct RowInfo
    {
        public uint Scanline;
        public uint Row;
        public int Pass;
        public byte Filter;
    }

    [LibraryImport(NativeLibraries.Spng, EntryPoint = "spng_ctx_new")]
    public static partial nint New(int flags);

    [LibraryImport(NativeLibraries.Spng, EntryPoint = "spng_ctx_free")]
    public static partial void Free(nint context);

    [LibraryImport(NativeLibraries.Spng, EntryPoint = "spng_set_png_buffer")]
    public static partial int SetBuffer(nint context, byte* data, nuint size);

    [LibraryImport(NativeLibraries.Spng, EntryPoint = "spng_set_image_limits")]
    public static partial int SetImageLimits(nint context, uint width, uint height);

    [LibraryImport(NativeLibraries.Spng, EntryPoint = "spng_set_chunk_limits")]
    public static partial int SetChunkLimits(nint context, nuint chunkBytes, nuint cacheBytes);

    [LibraryImport(NativeLibraries.Spng, EntryPoint = "spng_set_crc_action")]
    public static partial int SetSumAction(nint context, int critical, int ancillary);

    [LibraryImport(NativeLibraries.Spng, EntryPoint = "spng_decode_image")]
    public static partial int DecodeImage(nint context, byte* pixels, nuint size, int format, int flags);

    [LibraryImport(NativeLibraries.Spng, EntryPoint = "spng_get_row_info")]
    public static partial int GetRowInfo(nint context, RowInfo* info);

    [LibraryImport(NativeLibraries.Spng, EntryPoint = "spng_decode_row")]
    public static partial int DecodeRow(nint context, byte* row, nuint size);

    [LibraryImport(NativeLibraries.Spng, EntryPoint = "spng_decode_chunks")]
    public static partial int DecodeChunks(nint context);

    [LibraryImport(NativeLibraries.Spng, EntryPoint = "spng_set_ihdr")]
    public static partial int SetHeader(nint context, Header* header);

    [LibraryImport(NativeLibraries.Spng, EntryPoint = "spng_set_option")]
    public static partial int SetOption(nint context, int option, int value);

    [LibraryImport(NativeLibraries.Spng, EntryPoint = "spng_encode_image")]
    public static partial int EncodeImage(nint context, byte* pixels, nuint size, int format, int flags);

    /// <summary>The encoded file, allocated by malloc: the caller frees it.</summary>
    [LibraryImport(NativeLibraries.Spng, EntryPoint = "spng_get_png_buffer")]
    public static partial byte* GetBuffer(nint context, nuint* size, int* error);

    [LibraryImport(NativeLibraries.Spng, EntryPoint = "spng_strerror")]
    private static partial nint ErrorText(int error);

    public static string Error(int error) => Marshal.PtrToStringUTF8(ErrorText(error)) ?? "unknown error";
}
