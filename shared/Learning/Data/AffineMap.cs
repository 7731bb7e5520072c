namespace DmlPipeline.Learning.Data;

/// <summary>Maps pixel centres of the target to places in the source: x' = Xx x + Xy y + X0, y' = Yx x + Yy y + Y0.</summary>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
internal readonly record struct AffineMap(float Xx, float Xy, float X0, float Yx, float Yy, float Y0)
{
    public static AffineMap Identity { get; } = new(1, 0, 0, 0, 1, 0);

    /// <summary>The source is slanted, rotated, zoomed about its centre and then shifted; angles in degrees, shifts in pixels.</summary>
    public static AffineMap Move(ImageShape shape, float rotate, float zoom, float slant, float shiftX, float shiftY)
    {
        var (sin, cos) = MathF.SinCos(rotate * MathF.PI / 180);
        var tan = MathF.Tan(slant * MathF.PI / 180);
        // Inverse of zoom * Rotation * Slant, with Slant = [[1, tan], [0, 1]].
        float xx = (cos + (tan * sin)) / zoom, xy = (sin - (tan * cos)) / zoom, yx = -sin / zoom, yy = cos / zoom;
        float cx = (shape.Width - 1) / 2f, cy = (shape.Height - 1) / 2f;
        return new(xx, xy, cx - (xx * (cx + shiftX)) - (xy * (cy + shiftY)), yx, yy, cy - (yx * (cx + shiftX)) - (yy * (cy + shiftY)));
    }

    /// <summary>The source is made wider by a factor about its centre, and narrower upwards by as much.</summary>
    public static AffineMap Stretch(ImageShape shape, float factor)
    {
        float cx = (shape.Width - 1) / 2f, cy = (shape.Height - 1) / 2f;
        return new(1 / factor, 0, cx - (cx / factor), 0, factor, cy - (cy * factor));
    }

    /// <summary>The target shows a rectangle of the source, given in fractions of its sides.</summary>
    public static AffineMap Cut(ImageShape shape, float left, float top, float width, float height) => new(
        width, 0, (left * shape.Width) + (width / 2) - 0.5f,
        0, height, (top * shape.Height) + (height / 2) - 0.5f);

    public static AffineMap Mirror(ImageShape shape) => new(-1, 0, shape.Width - 1, 0, 1, 0);

    /// <summary>This map first, <paramref name="next"/> on its result.</summary>
    public AffineMap Then(AffineMap next) => new(
        (next.Xx * Xx) + (next.Xy * Yx), (next.Xx * Xy) + (next.Xy * Yy), (next.Xx * X0) + (next.Xy * Y0) + next.X0,
        (next.Yx * Xx) + (next.Yy * Yx), (next.Yx * Xy) + (next.Yy * Yy), (next.Yx * X0) + (next.Yy * Y0) + next.Y0);
}
