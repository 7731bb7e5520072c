using System.Reflection;
using System.Runtime.InteropServices;

namespace DmlPipeline.Torch.Binding;

/// <summary>Finds and loads the shim and the libtorch behind it.</summary>
internal static partial class LibraryLoader
{
    private static int registered;

    internal static void Register()
    {
        if (Interlocked.Exchange(ref registered, 1) == 0)
            NativeLibrary.SetDllImportResolver(typeof(LibraryLoader).Assembly, Resolve);
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Native.Library) return 0;
        SetThreadPolicy();
        var folder = Environment.GetEnvironmentVariable("LIBTORCH");
        // The shim names only the CPU library; CUDA kernels register themselves when their library is loaded, so it must come first.
        foreach (var library in (string[])["libc10.so", "libtorch_cpu.so", "libtorch_cuda.so"])
        {
            if (!string.IsNullOrEmpty(folder)) NativeLibrary.TryLoad(Path.Combine(folder, "lib", library), out _);
            else if (library == "libtorch_cuda.so") NativeLibrary.TryLoad(library, out _);
        }
        var file = Path.Combine(AppContext.BaseDirectory, "libdmltorch.so");
        if (!File.Exists(file)) file = Path.Combine(Path.GetDirectoryName(assembly.Location) ?? ".", "libdmltorch.so");
        if (!File.Exists(file))
        {
            throw new DllNotFoundException(
                "libdmltorch.so is not beside the program. It is built with the solution where a C++ compiler and libtorch are: " +
                "apt-get install g++ libtorch-dev libopenblas0-openmp, or set LIBTORCH to the folder of another libtorch, then build again.");
        }
        try
        {
            return NativeLibrary.Load(file);
        }
        catch (DllNotFoundException e)
        {
            throw new DllNotFoundException(
                "libtorch cannot be loaded: apt-get install libtorch-dev libopenblas0-openmp, or set LIBTORCH to the folder of another " +
                $"libtorch (with include/ and lib/) and build again. The loader says: {e.Message}", e);
        }
    }

    // OpenMP threads that spin while they wait starve every other thread of a small machine. libgomp reads this once, while it loads,
    // from the C environment, which Environment.SetEnvironmentVariable does not reach. What the user has set stays.
    private static void SetThreadPolicy()
    {
        if (OperatingSystem.IsWindows()) return;
        _ = setenv("OMP_WAIT_POLICY", "passive", 0);
        _ = setenv("GOMP_SPINCOUNT", "0", 0);
        _ = setenv("KMP_BLOCKTIME", "0", 0); // the same for libiomp, which PyTorch's own builds may bring
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);
}
