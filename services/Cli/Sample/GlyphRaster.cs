namespace DmlPipeline.Cli.Sample;

/// <summary>Draws strokes with a round pen, antialiased.</summary>
internal static class GlyphRaster
{
    /// <param name="strokes">In the unit square; what lies outside is cut off.</param>
    /// <param name="side">Pixels.</param>
    /// <param name="penWidth">Pixels.</param>
    /// <returns>[side, side] grey levels: 0 = ink, 255 = paper.</returns>
    public static byte[] Draw(GlyphStroke[] strokes, int side, double penWidth)
    {
        var image = new byte[side * side];
        image.AsSpan().Fill(255);
        foreach (var stroke in strokes)
        {
            var line = stroke.Flatten();
            for (var i = 1; i < line.Count; i++) DrawLine(image, side, side * line[i - 1], side * line[i], penWidth / 2);
        }
        return image;
    }

    /// <summary>A pixel is as dark as the pen covers it: fully up to half a pixel inside the pen's edge, not at all half a pixel outside.</summary>
    private static void DrawLine(byte[] image, int side, GlyphPoint from, GlyphPoint to, double radius)
    {
        var reach = radius + 1;
        int left = Clamp(Math.Min(from.X, to.X) - reach, side), right = Clamp(Math.Max(from.X, to.X) + reach, side);
        int top = Clamp(Math.Min(from.Y, to.Y) - reach, side), bottom = Clamp(Math.Max(from.Y, to.Y) + reach, side);
        var along = to - from;
        var lengthSquared = Math.Max((along.X * along.X) + (along.Y * along.Y), 1e-12);
        for (var y = top; y <= bottom; y++)
            for (var x = left; x <= right; x++)
            {
                var pixel = new GlyphPoint(x + 0.5, y + 0.5) - from;
                var t = Math.Clamp(((pixel.X * along.X) + (pixel.Y * along.Y)) / lengthSquared, 0, 1);
                var away = pixel - (t * along);
                var cover = Math.Clamp(radius + 0.5 - Math.Sqrt((away.X * away.X) + (away.Y * away.Y)), 0, 1);
                var level = (byte)(255 - (int)((255 * cover) + 0.5));
                ref var at = ref image[(y * side) + x];
                if (level < at) at = level;
            }
    }

    private static int Clamp(double at, int side) => (int)Math.Clamp(at, 0, side - 1);
}
