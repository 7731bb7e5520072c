using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Torch;

/// <summary>The torch behind the process: threads, devices, random state, live tensors.</summary>
public static partial class TorchRuntime
{
    /// <summary>Tensors alive in the whole process.</summary>
    public static long LiveTensors => Tensor.TotalCount;

    /// <summary>"cpu", or the name of the CUDA card.</summary>
    public static string DeviceName => cuda.is_available() ? CudaName() ?? "cuda" : "cpu";

    /// <summary>The device to train on: the CUDA card where there is one.</summary>
    public static Device Device => cuda.is_available() ? new Device(DeviceType.CUDA, 0) : CPU;

    /// <summary>
    /// Loads libtorch and sets how many threads its operators use on the calling thread; 0 stands for one per processor.
    /// </summary>
    public static void Initialize(int threads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        set_num_threads(threads == 0 ? Environment.ProcessorCount : threads);
    }

    /// <summary>The state of the default generator of the processor and, where there is one, of the first CUDA card.</summary>
    public static byte[] GetRngState()
    {
        using var scope = NewDisposeScope();
        var cpuState = Contents(random.get_rng_state());
        var cudaState = cuda.is_available() ? CudaRngState() : [];
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(cpuState.Length);
        writer.Write(cpuState);
        writer.Write(cudaState.Length);
        writer.Write(cudaState);
        return stream.ToArray();
    }

    /// <summary>Puts a state of <see cref="GetRngState"/> back: the same random numbers follow on the same kind of device.</summary>
    /// <exception cref="InvalidDataException">The bytes are no such state.</exception>
    public static void SetRngState(byte[] state)
    {
        using var scope = NewDisposeScope();
        using var reader = new BinaryReader(new MemoryStream(state));
        try
        {
            var cpuState = Part(reader);
            var cudaState = Part(reader);
            random.set_rng_state(tensor(cpuState));
            if (cudaState.Length > 0 && cuda.is_available()) SetCudaRngState(cudaState);
        }
        catch (Exception e) when (e is EndOfStreamException or ExternalException)
        {
            throw new InvalidDataException($"The bytes are no state of the random generators: {e.Message}", e);
        }
    }

    private static byte[] Part(BinaryReader reader)
    {
        var length = reader.ReadInt32();
        if (length < 0 || length > reader.BaseStream.Length - reader.BaseStream.Position)
            throw new InvalidDataException("The bytes are no state of the random generators: a length is out of range.");
        return reader.ReadBytes(length);
    }

    private static byte[] Contents(Tensor bytes) => bytes.data<byte>().ToArray();

    // libtorch's dispatcher knows no names; the driver does.
    private static string? CudaName()
    {
        if (!NativeLibrary.TryLoad("libcuda.so.1", out _)) return null;
        var name = new byte[256];
        if (cuInit(0) != 0 || cuDeviceGet(out var device, 0) != 0 || cuDeviceGetName(name, name.Length, device) != 0) return null;
        return System.Text.Encoding.UTF8.GetString(name).TrimEnd('\0');
    }

    [LibraryImport("libcuda.so.1")]
    private static partial int cuInit(uint flags);

    [LibraryImport("libcuda.so.1")]
    private static partial int cuDeviceGet(out int device, int ordinal);

    [LibraryImport("libcuda.so.1")]
    private static partial int cuDeviceGetName([Out] byte[] name, int length, int device);
}
