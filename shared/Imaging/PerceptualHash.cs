using System.Numerics;

namespace DmlPipeline.Imaging;

/// <summary>64-bit difference hash (dHash): near-duplicates of an image differ in few bits, whatever their size and compression.</summary>
public static class PerceptualHash
{
    private const int Side = 8;

    /// <summary>Bit 8 y + x is set where pixel (x, y) of the grey 9x8 reduction is darker than its right neighbour.</summary>
    public static ulong Compute(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var small = ImageResizer.Resize(image, Side + 1, Side);
        var grey = small.Channels == 1 ? small.Pixels : PixelConversion.To(1, small.Pixels, 3);
        var hash = 0UL;
        for (var y = 0; y < Side; y++)
            for (var x = 0; x < Side; x++)
                if (grey[(y * (Side + 1)) + x] < grey[(y * (Side + 1)) + x + 1])
                    hash |= 1UL << ((y * Side) + x);
        return hash;
    }

    /// <summary>How many of the 64 bits differ.</summary>
    public static int Distance(ulong a, ulong b) => BitOperations.PopCount(a ^ b);
}
