namespace DmlPipeline.Learning.Data;

/// <summary>One step's images, augmented, in channel-row-column bytes one after the other; give it back to its pipeline after use.</summary>
public sealed class Batch
{
    internal Batch(int count, int own, ImageShape shape)
    {
        (Shape, Own) = (shape, own);
        Pixels = GC.AllocateUninitializedArray<byte>(checked(own * shape.Bytes));
        Labels = new long[count];
        Indexes = new int[count];
    }

    public ImageShape Shape { get; }

    /// <summary>Images whose pixels are here: all, unless processes share the batch.</summary>
    public int Own { get; }

    /// <summary>[Own, C, H, W].</summary>
    public byte[] Pixels { get; }

    /// <summary>[Count], as torch's losses take them.</summary>
    public long[] Labels { get; }

    /// <summary>[Count], which images of the set these are.</summary>
    public int[] Indexes { get; }

    public int Count => Labels.Length;

    public long Step { get; internal set; }
}
