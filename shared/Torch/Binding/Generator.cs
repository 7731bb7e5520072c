using DmlPipeline.Torch.Binding;

namespace TorchSharp;

public static partial class torch
{
    public static Generator manual_seed(long seed) => random.manual_seed(seed);

    public static Tensor get_rng_state() => random.get_rng_state();

    public static void set_rng_state(Tensor new_state) => random.set_rng_state(new_state);

    public static unsafe class random
    {
        /// <summary>Seeds the default generators of every device.</summary>
        public static Generator manual_seed(long seed)
        {
            Native.Check(Native.dml_manual_seed(seed));
            return Generator.Default;
        }

        public static long initial_seed() => Generator.Default.initial_seed();

        public static Tensor get_rng_state() => Generator.Default.get_state();

        public static void set_rng_state(Tensor new_state) => Generator.Default.set_state(new_state);
    }

    /// <summary>A source of random numbers with a state of its own.</summary>
    public unsafe class Generator : IDisposable
    {
        private static readonly Lazy<Generator> Shared = new(() => new Generator(CPU, fresh: false));

        private nint handle;

        public Generator(ulong seed = 0, Device? device = null)
            : this(device ?? CPU, fresh: true) => manual_seed((long)seed);

        private Generator(Device device, bool fresh)
        {
            this.device = device;
            nint created;
            Native.Check(Native.dml_generator((int)device.type, device.index, fresh ? 1 : 0, &created));
            handle = created;
        }

        ~Generator() => Dispose(false);

        public static Generator Default => Shared.Value;

        public Device device { get; }

        public IntPtr Handle => handle != 0
            ? handle
            : throw new InvalidOperationException("The generator is disposed.");

        public long initial_seed()
        {
            long seed;
            Native.Check(Native.dml_generator_seed(Handle, &seed));
            GC.KeepAlive(this);
            return seed;
        }

        public Generator manual_seed(long seed)
        {
            Native.Check(Native.dml_generator_set_seed(Handle, seed));
            GC.KeepAlive(this);
            return this;
        }

        /// <summary>The whole state as bytes: put back with <see cref="set_state"/>, the same numbers follow.</summary>
        public Tensor get_state()
        {
            nint state;
            Native.Check(Native.dml_generator_state(Handle, &state));
            GC.KeepAlive(this);
            return new Tensor(state);
        }

        public void set_state(Tensor value)
        {
            Native.Check(Native.dml_generator_set_state(Handle, value.Handle));
            GC.KeepAlive(value);
            GC.KeepAlive(this);
        }

        /// <summary>The generator that operators on a device use when none is given.</summary>
        internal static Generator DefaultOf(Device device) => device.type == DeviceType.CPU ? Default : new Generator(device, fresh: false);

        public void Dispose()
        {
            // The default generator is shared by everyone.
            if (Shared.IsValueCreated && ReferenceEquals(this, Shared.Value)) return;
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            var released = Interlocked.Exchange(ref handle, 0);
            if (released != 0) Native.dml_generator_release(released);
        }
    }
}
