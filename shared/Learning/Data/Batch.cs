namespace DmlPipeline.Learning.Data;

/// <summary>One step's images, augmented, in channel-row-column bytes one after the other; give it back to its pipeline after use.</summary>
public sealed class Batch
{
    internal Batch(int count, ImageShape shape)
    {
        Shape = shape;
        Pixels = GC.AllocateUninitializedArray<byte>(checked(count * shape.Bytes));
        Labels = new long[count];
        Indexes = new int[count];
    }

    public ImageShape Shape { get; }

    /// <summary>[Count, C, H, W].</summary>
    public byte[] Pixels { get; }

    /// <summary>[Count], as torch's losses take them.</summary>
    public long[] Labels { get; }

    /// <summary>[Count], which images of the set these are.</summary>
    public int[] Indexes { get; }

    public int Count => Labels.Length;

    public long Step { get; internal set; }
}
