using System.Runtime.CompilerServices;
using DmlPipeline.Torch.Binding;
using TorchSharp.Utils;

namespace TorchSharp;

public static partial class torch
{
    public unsafe partial class Tensor
    {
        private static readonly Op ToCopy = new("aten::_to_copy");

        public Tensor cpu() => to(CPU);

        public Tensor cuda(Device? device = null, bool non_blocking = false)
        {
            if (!torch.cuda.is_available()) throw new InvalidOperationException("CUDA is not available.");
            return to(device ?? CUDA, non_blocking: non_blocking);
        }

        public Tensor to(ScalarType type, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            Convert(type, null, copy, disposeAfter, non_blocking);

        public Tensor to(Device device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            Convert(null, device, copy, disposeAfter, non_blocking);

        public Tensor to(ScalarType type, Device device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            Convert(type, device, copy, disposeAfter, non_blocking);

        public Tensor to(string device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            Convert(null, new Device(device), copy, disposeAfter, non_blocking);

        public Tensor to(DeviceType deviceType, int deviceIndex = -1, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            Convert(null, new Device(deviceType, deviceIndex), copy, disposeAfter, non_blocking);

        public Tensor to(Tensor other, bool non_blocking = false) => Convert(other.dtype, other.device, false, false, non_blocking);

        public Tensor to_type(ScalarType type, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            Convert(type, null, copy, disposeAfter, non_blocking);

        public Tensor type_as(Tensor tensor) => to(tensor.dtype);

        public Tensor @float() => to(ScalarType.Float32);

        public Tensor @long() => to(ScalarType.Int64);

        public Tensor @bool() => to(ScalarType.Bool);

        /// <summary>The one value of the tensor.</summary>
        /// <exception cref="ArgumentException">The tensor holds more or fewer values than one, or values of another type.</exception>
        public T item<T>()
            where T : unmanaged
        {
            if (numel() != 1) throw new ArgumentException($"item() needs a tensor of one element; this one has the shape [{string.Join(", ", shape)}].");
            Expect<T>();
            if (device_type != DeviceType.CPU)
            {
                using var here = cpu();
                return here.item<T>();
            }
            var value = Unsafe.ReadUnaligned<T>(DataInfo().Data);
            GC.KeepAlive(this);
            return value;
        }

        /// <summary>The values in row-major order; valid while the tensor is.</summary>
        public TensorAccessor<T> data<T>()
            where T : unmanaged
        {
            Expect<T>();
            return new TensorAccessor<T>(this);
        }

        internal static ScalarType TypeOf<T>() =>
            typeof(T) == typeof(float) ? ScalarType.Float32
            : typeof(T) == typeof(double) ? ScalarType.Float64
            : typeof(T) == typeof(long) ? ScalarType.Int64
            : typeof(T) == typeof(int) ? ScalarType.Int32
            : typeof(T) == typeof(byte) ? ScalarType.Byte
            : typeof(T) == typeof(bool) ? ScalarType.Bool
            : typeof(T) == typeof(short) ? ScalarType.Int16
            : typeof(T) == typeof(sbyte) ? ScalarType.Int8
            : typeof(T) == typeof(Half) ? ScalarType.Float16
            : throw new ArgumentException($"No tensor holds values of type {typeof(T).Name}.");

        private void Expect<T>()
        {
            var held = dtype;
            if (held != TypeOf<T>())
                throw new ArgumentException($"The tensor holds {held} values, not {typeof(T).Name}: convert it with to() first.");
        }

        private Tensor Convert(ScalarType? type, Device? target, bool copy, bool disposeAfter, bool nonBlocking)
        {
            if (target is { type: DeviceType.CUDA } && !torch.cuda.is_available()) throw new InvalidOperationException("CUDA is not available.");
            var info = Info();
            var same = (type is null || (ScalarType)info.DType == type)
                && (target is null || target.Is(new Device((DeviceType)info.DeviceType, info.DeviceIndex)));
            var result = same && !copy ? alias() : ToCopy.Call(this, type, Arg.None, target, Arg.None, nonBlocking);
            if (disposeAfter) Dispose();
            return result;
        }
    }
}
