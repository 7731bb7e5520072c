using System.Runtime.InteropServices;

namespace DmlPipeline.Imaging.Native;

/// <summary>libwebp 1.x, declared from webp/decode.h.</summary>
internal static unsafe partial class WebP
{
    /// <summary>The major half is compared by the library, which refuses a struct layout that it does not know.</summary>
    public const int DecoderAbi = 0x0209;

    static WebP() => NativeLibraries.Register();

    [StructLayout(LayoutKind.Sequential)]
    public struct Features
    {
        public int Width;
        public int Height;
        public int HasAlpha;
        public int HasAnimation;
        public int Format;
        private fixed uint padding[5];
    }

    /// <summary>0 = fine, 7 = not enough data.</summary>
    [LibraryImport(NativeLibraries.WebP, EntryPoint = "WebPGetFeaturesInternal")]
    public static partial int GetFeatures(byte* data, nuint size, Features* features, int abi);

    [LibraryImport(NativeLibraries.WebP, EntryPoint = "WebPDecodeRGBInto")]
    public static partial byte* DecodeRgb(byte* data, nuint size, byte* pixels, nuint pixelBytes, int stride);

    [LibraryImport(NativeLibraries.WebP, EntryPoint = "WebPDecodeRGBAInto")]
    public static partial byte* DecodeRgba(byte* data, nuint size, byte* pixels, nuint pixelBytes, int stride);
}
