namespace DmlPipeline.Learning.Data;

/// <summary>The shape that every image of a set is brought to: 1 (grey) or 3 (colour) channels, then rows, then columns.</summary>
public sealed record ImageShape(int Channels, int Height, int Width)
{
    /// <summary>Bytes of one image, one byte per value.</summary>
    public int Bytes => checked(Channels * Height * Width);

    public override string ToString() => $"{Channels}x{Height}x{Width}";
}
