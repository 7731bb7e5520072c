namespace DmlPipeline.Imaging;

/// <summary>Turns decoded pixels upright by the EXIF orientation.</summary>
internal static class OrientedPixels
{
    public static bool SwapsSides(int orientation) => orientation >= 5;

    public static Image Apply(Image image, int orientation)
    {
        if (orientation == 1) return image;
        int w = image.Width, h = image.Height, last = (w * h) - 1;
        // The source pixel of target pixel (x, y) is origin + x * right + y * down.
        var (origin, right, down) = orientation switch
        {
            2 => (w - 1, -1, w), // mirrored left to right
            3 => (last, -1, -w), // upside down
            4 => (last - w + 1, 1, -w), // mirrored top to bottom
            5 => (0, w, 1), // mirrored along the main diagonal
            6 => (last - w + 1, -w, 1), // needs a quarter turn clockwise
            7 => (last, -w, -1), // mirrored along the other diagonal
            _ => (w - 1, w, -1), // needs a quarter turn anticlockwise
        };
        var (width, height) = SwapsSides(orientation) ? (h, w) : (w, h);
        return new Image(width, height, image.Channels, Copy(image, width, height, origin, right, down));
    }

    private static byte[] Copy(Image image, int width, int height, int origin, int right, int down)
    {
        var source = image.Pixels;
        var target = GC.AllocateUninitializedArray<byte>(source.Length);
        var t = 0;
        for (var y = 0; y < height; y++)
        {
            var s = origin + (y * down);
            if (image.Channels == 1)
                for (var x = 0; x < width; x++, s += right) target[t++] = source[s];
            else
                for (var x = 0; x < width; x++, s += right, t += 3)
                {
                    target[t] = source[s * 3];
                    target[t + 1] = source[(s * 3) + 1];
                    target[t + 2] = source[(s * 3) + 2];
                }
        }
        return target;
    }
}
