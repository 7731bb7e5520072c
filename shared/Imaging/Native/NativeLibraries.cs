using System.Reflection;
using System.Runtime.InteropServices;

namespace DmlPipeline.Imaging.Native;

/// <summary>Finds the system's image libraries, which the distribution keeps patched.</summary>
internal static class NativeLibraries
{
    public const string TurboJpeg = "turbojpeg";
    public const string Spng = "spng";
    public const string WebP = "webp";

    // A static constructor runs once, before the first native call of any class that names it.
    static NativeLibraries() => NativeLibrary.SetDllImportResolver(typeof(NativeLibraries).Assembly, Resolve);

    public static void Register()
    {
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        string[]? candidates = name switch
        {
            TurboJpeg => ["libturbojpeg.so.0", "libturbojpeg.0.dylib", "turbojpeg.dll"],
            Spng => ["libspng.so.0", "libspng.0.dylib", "spng.dll"],
            WebP => ["libwebp.so.7", "libwebp.7.dylib", "libwebp.dll"],
            _ => null,
        };
        if (candidates is null) return 0;
        foreach (var candidate in candidates)
            if (NativeLibrary.TryLoad(candidate, assembly, searchPath, out var handle))
                return handle;
        throw new DllNotFoundException(
            $"The image library {candidates[0]} is not installed. On Debian and Ubuntu: apt-get install libturbojpeg0 libspng0 libwebp7");
    }
}
