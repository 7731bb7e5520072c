namespace TorchSharp;

public static partial class torch
{
    public static readonly Device CPU = new(DeviceType.CPU);

    public static Device CUDA { get; } = new(DeviceType.CUDA);

    public static Device device(string description) => new(description);

    public static Device device(string deviceType, int index = -1) => new(deviceType, index);

    public static Device device(DeviceType deviceType, int index = -1) => new(deviceType, index);

    public static Device device(int index) => new(index);

    /// <summary>Where a tensor lives: a device type and, for several devices of a type, an index (-1: the current one).</summary>
    public class Device
    {
        /// <summary>Parses "cpu", "cuda" or "cuda:1".</summary>
        public Device(string description)
        {
            var colon = description.IndexOf(':', StringComparison.Ordinal);
            type = Parse(colon < 0 ? description : description[..colon]);
            if (colon < 0) return;
            if (!int.TryParse(description.AsSpan(colon + 1), out var number) || number < 0)
                throw new ArgumentException($"'{description}' is no device: write \"cpu\", \"cuda\" or \"cuda:0\".", nameof(description));
            index = number;
        }

        public Device(string deviceType, int index = -1)
            : this(Parse(deviceType), index)
        {
        }

        public Device(DeviceType deviceType, int index = -1)
        {
            type = deviceType;
            this.index = index;
        }

        public Device(int index)
            : this(DeviceType.CUDA, index)
        {
        }

        public DeviceType type { get; }

        public int index { get; } = -1;

        public static implicit operator Device(string description) => new(description);

        public override string ToString() =>
            type == DeviceType.CPU || index == -1 ? Name : $"{Name}:{index}";

        internal bool Is(Device other) => type == other.type && (index == other.index || index < 0 || other.index < 0 || type == DeviceType.CPU);

        private string Name => type.ToString().ToLowerInvariant();

        private static DeviceType Parse(string text) => Enum.TryParse<DeviceType>(text, ignoreCase: true, out var found) && !char.IsDigit(text[0])
            ? found
            : throw new ArgumentException($"'{text}' is no device type: write \"cpu\" or \"cuda\".", nameof(text));
    }
}
