using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]

namespace DmlPipeline.Torch.Binding;

/// <summary>What the shim answers about a tensor; the layout is that of <c>Info</c> in shim.cpp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TensorInfo
{
    public long* Sizes;
    public long* Strides;
    public void* Data;
    public long Dim;
    public long Numel;
    public long ElementSize;
    public int DType;
    public int DeviceType;
    public int DeviceIndex;
    public byte RequiresGrad;
    public byte IsLeaf;
    public byte IsContiguous;
    public byte IsSparse;
}

/// <summary>One argument as the shim reads it; the layout is that of <c>Value</c> in shim.cpp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeArg
{
    public int Tag;
    public int Count;
    public long Bits;
}

/// <summary>The exports of the shim. Each answers null, or the text of an error.</summary>
internal static unsafe partial class Native
{
    internal const string Library = "dmltorch";

    static Native() => LibraryLoader.Register();

    [LibraryImport(Library)] internal static partial byte* dml_operator(byte* name, byte* overload, nint* result);
    [LibraryImport(Library)] internal static partial byte* dml_call(nint op, NativeArg* args, int count, nint* results, int capacity, int* resultCount);
    [LibraryImport(Library)] internal static partial byte* dml_more_results(nint* results);
    [LibraryImport(Library), SuppressGCTransition] internal static partial byte* dml_info(nint tensor, int wantData, TensorInfo* info);
    [LibraryImport(Library)] internal static partial byte* dml_trim();
    [LibraryImport(Library)] internal static partial byte* dml_release(nint tensor);
    [LibraryImport(Library)] internal static partial byte* dml_alias(nint tensor, nint* result);
    [LibraryImport(Library)] internal static partial byte* dml_set_requires_grad(nint tensor, int value);
    [LibraryImport(Library)] internal static partial byte* dml_grad(nint tensor, nint* result);
    [LibraryImport(Library)] internal static partial byte* dml_set_grad(nint tensor, nint grad);
    [LibraryImport(Library)]
    internal static partial byte* dml_backward(
        nint* outputs, int outputCount, nint* grads, int gradCount, int retainGraph, int createGraph, nint* inputs, int inputCount);
    [LibraryImport(Library)] internal static partial byte* dml_grad_mode(int* enabled);
    [LibraryImport(Library)] internal static partial byte* dml_set_grad_mode(int enabled);
    [LibraryImport(Library)] internal static partial byte* dml_inference_mode(int* enabled);
    [LibraryImport(Library)] internal static partial byte* dml_enter_inference_mode(int enabled, nint* guard);
    [LibraryImport(Library)] internal static partial byte* dml_leave_inference_mode(nint guard);
    [LibraryImport(Library)] internal static partial byte* dml_generator(int deviceType, int deviceIndex, int fresh, nint* result);
    [LibraryImport(Library)] internal static partial byte* dml_generator_release(nint generator);
    [LibraryImport(Library)] internal static partial byte* dml_generator_seed(nint generator, long* seed);
    [LibraryImport(Library)] internal static partial byte* dml_generator_set_seed(nint generator, long seed);
    [LibraryImport(Library)] internal static partial byte* dml_generator_state(nint generator, nint* state);
    [LibraryImport(Library)] internal static partial byte* dml_generator_set_state(nint generator, nint state);
    [LibraryImport(Library)] internal static partial byte* dml_manual_seed(long seed);
    [LibraryImport(Library)] internal static partial byte* dml_version(byte** version);
    [LibraryImport(Library)] internal static partial byte* dml_set_threads(int count);
    [LibraryImport(Library)] internal static partial byte* dml_threads(int* count);
    [LibraryImport(Library)] internal static partial byte* dml_device_count(int deviceType, int* count);
    [LibraryImport(Library)] internal static partial byte* dml_synchronize(int deviceType, int deviceIndex);
    [LibraryImport(Library)] internal static partial byte* dml_tf32(int* matmul, int* cudnn);
    [LibraryImport(Library)] internal static partial byte* dml_set_tf32(int matmul, int cudnn);
    [LibraryImport(Library)] internal static partial byte* dml_set_autocast(int deviceType, int enabled, int dtype);

    [LibraryImport(Library)]
    internal static partial byte* dml_group_join(
        byte* path, byte* host, int port, int hosted, byte* network, int rank, int size, long meetMs, long timeoutMs, int* cancelled, nint* result);
    [LibraryImport(Library)] internal static partial byte* dml_group_release(nint group);
    [LibraryImport(Library)] internal static partial byte* dml_group_sum(nint group, nint* tensors, int count);
    [LibraryImport(Library)] internal static partial byte* dml_group_broadcast(nint group, nint tensor);
    [LibraryImport(Library)]
    internal static partial byte* dml_group_batch_norm(
        nint group, nint x, nint weight, nint bias, nint runningMean, nint runningVar, double momentum, double eps, nint* result);

    /// <summary>Throws libtorch's message when a call has answered one.</summary>
    internal static void Check(byte* error)
    {
        if (error is not null) throw new ExternalException(Marshal.PtrToStringUTF8((nint)error));
    }
}
