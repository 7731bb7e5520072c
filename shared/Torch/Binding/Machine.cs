using DmlPipeline.Torch.Binding;

namespace TorchSharp;

public static unsafe partial class torch
{
    /// <summary>The version of libtorch that the shim was built against.</summary>
    public static string __version__
    {
        get
        {
            byte* version;
            Native.Check(Native.dml_version(&version));
            return System.Runtime.InteropServices.Marshal.PtrToStringUTF8((nint)version)!;
        }
    }

    public static void set_num_threads(int num) => Native.Check(Native.dml_set_threads(num));

    public static int get_num_threads()
    {
        int count;
        Native.Check(Native.dml_threads(&count));
        return count;
    }

    public static class cuda
    {
        public static bool is_available() => device_count() > 0;

        public static int device_count()
        {
            int count;
            Native.Check(Native.dml_device_count((int)DeviceType.CUDA, &count));
            return count;
        }

        /// <summary>Waits until the device has done everything that was asked of it.</summary>
        public static void synchronize(Device? device = null)
        {
            if (!is_available()) throw new InvalidOperationException("CUDA is not available.");
            Native.Check(Native.dml_synchronize((int)DeviceType.CUDA, device?.index ?? -1));
        }
    }

    public static class backends
    {
        public static class cuda
        {
            public static class matmul
            {
                /// <summary>Whether matrix products of float32 on Ampere and later cards may round to 10 bits for speed.</summary>
                public static bool allow_tf32
                {
                    get => Tf32().Matmul;
                    set => Native.Check(Native.dml_set_tf32(value ? 1 : 0, Tf32().Cudnn ? 1 : 0));
                }
            }
        }

        public static class cudnn
        {
            public static bool allow_tf32
            {
                get => Tf32().Cudnn;
                set => Native.Check(Native.dml_set_tf32(Tf32().Matmul ? 1 : 0, value ? 1 : 0));
            }
        }

        private static (bool Matmul, bool Cudnn) Tf32()
        {
            int matmul;
            int cudnn;
            Native.Check(Native.dml_tf32(&matmul, &cudnn));
            return (matmul != 0, cudnn != 0);
        }
    }
}
