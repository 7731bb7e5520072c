using System.Runtime.InteropServices;

namespace DmlPipeline.Imaging.Native;

/// <summary>libturbojpeg 2.x, declared from turbojpeg.h.</summary>
internal static unsafe partial class TurboJpeg
{
    public const int PixelRgb = 0;
    public const int PixelGrey = 6;
    public const int PixelCmyk = 11;

    // Truncation is only a warning to libjpeg, which would fill the rest with grey.
    public const int StopOnWarning = 8192;
    public const int LimitScans = 32768;

    static TurboJpeg() => NativeLibraries.Register();

    [LibraryImport(NativeLibraries.TurboJpeg, EntryPoint = "tjInitDecompress")]
    public static partial nint InitDecompress();

    // unsigned long is 64 bits wide on every system but Windows; nuint is right for the former and harmless in registers for the latter.
    [LibraryImport(NativeLibraries.TurboJpeg, EntryPoint = "tjDecompress2")]
    public static partial int Decompress(nint handle, byte* jpeg, nuint size, byte* pixels, int width, int pitch, int height, int pixelFormat, int flags);

    [LibraryImport(NativeLibraries.TurboJpeg, EntryPoint = "tjDestroy")]
    public static partial int Destroy(nint handle);

    [LibraryImport(NativeLibraries.TurboJpeg, EntryPoint = "tjGetErrorStr2")]
    private static partial nint ErrorText(nint handle);

    public static string Error(nint handle) => Marshal.PtrToStringUTF8(ErrorText(handle)) ?? "unknown error";
}
