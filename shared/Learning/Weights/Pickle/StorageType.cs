using static TorchSharp.torch;

namespace DmlPipeline.Learning.Weights.Pickle;

/// <summary>The element type of a storage, as PyTorch names its storage classes.</summary>
internal sealed record StorageType(string Name, ScalarType Scalar, int ElementSize)
{
    private static readonly StorageType[] All =
    [
        new("DoubleStorage", ScalarType.Float64, 8), new("FloatStorage", ScalarType.Float32, 4), new("HalfStorage", ScalarType.Float16, 2),
        new("BFloat16Storage", ScalarType.BFloat16, 2), new("LongStorage", ScalarType.Int64, 8), new("IntStorage", ScalarType.Int32, 4),
        new("ShortStorage", ScalarType.Int16, 2), new("CharStorage", ScalarType.Int8, 1), new("ByteStorage", ScalarType.Byte, 1),
        new("BoolStorage", ScalarType.Bool, 1),
    ];

    /// <summary>The type of a storage class's name; null for one that no weights are made of.</summary>
    public static StorageType? Of(PickleGlobal global) => global.Module == "torch" ? Array.Find(All, type => type.Name == global.Name) : null;
}
