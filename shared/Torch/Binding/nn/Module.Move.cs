using static TorchSharp.torch;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public partial class Module
        {
            /// <summary>
            /// Converts floating-point parameters and buffers to a type and moves all of them to a device. The parameter objects stay the same,
            /// so that optimisers made before keep working.
            /// </summary>
            internal void Move(ScalarType? type, Device? device, bool nonBlocking)
            {
                if (type is { } wanted && !IsFloating(wanted))
                    throw new ArgumentException($"A module can only be converted to a floating-point type, not to {wanted}.");
                if (device is { type: DeviceType.CUDA } && !torch.cuda.is_available()) throw new InvalidOperationException("CUDA is not available.");
                using var quiet = no_grad();
                foreach (var (_, parameter) in named_parameters())
                {
                    var learns = parameter.requires_grad;
                    using var grad = parameter.grad;
                    if (!MoveTensor(parameter, type, device, nonBlocking)) continue;
                    parameter.requires_grad = learns;
                    if (grad is null) continue;
                    using var moved = grad.to(parameter.dtype, parameter.device);
                    parameter.grad = moved;
                }
                foreach (var (_, buffer) in named_buffers()) MoveTensor(buffer, type, device, nonBlocking);
            }

            private static bool MoveTensor(Tensor tensor, ScalarType? type, Device? device, bool nonBlocking)
            {
                var target = type is { } wanted && tensor.is_floating_point() ? wanted : tensor.dtype;
                if (target == tensor.dtype && (device is null || device.Is(tensor.device))) return false;
                tensor.ReplaceHandle(tensor.to(target, device ?? tensor.device, non_blocking: nonBlocking));
                return true;
            }
        }
    }
}

public static class ModuleExtensionMethods
{
    public static T to<T>(this T module, ScalarType type, bool non_blocking = false)
        where T : nn.Module => Moved(module, type, null, non_blocking);

    public static T to<T>(this T module, Device device, bool non_blocking = false)
        where T : nn.Module => Moved(module, null, device, non_blocking);

    public static T to<T>(this T module, Device device, ScalarType type, bool non_blocking = false)
        where T : nn.Module => Moved(module, type, device, non_blocking);

    public static T to<T>(this T module, string device, bool non_blocking = false)
        where T : nn.Module => Moved(module, null, new Device(device), non_blocking);

    public static T to<T>(this T module, DeviceType deviceType, int deviceIndex = -1, bool non_blocking = false)
        where T : nn.Module => Moved(module, null, new Device(deviceType, deviceIndex), non_blocking);

    public static T cpu<T>(this T module, bool non_blocking = false)
        where T : nn.Module => Moved(module, null, CPU, non_blocking);

    public static T cuda<T>(this T module, int deviceIndex = -1, bool non_blocking = false)
        where T : nn.Module => Moved(module, null, new Device(DeviceType.CUDA, deviceIndex), non_blocking);

    private static T Moved<T>(T module, ScalarType? type, Device? device, bool nonBlocking)
        where T : nn.Module
    {
        module.Move(type, device, nonBlocking);
        return module;
    }
}
