using System.Runtime.InteropServices;

namespace DmlPipeline.Cli.Sample;

/// <summary>A point of the unit square, y downwards.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct GlyphPoint(double X, double Y)
{
    public double Length => Math.Sqrt((X * X) + (Y * Y));

    public static GlyphPoint operator +(GlyphPoint a, GlyphPoint b) => new(a.X + b.X, a.Y + b.Y);

    public static GlyphPoint operator -(GlyphPoint a, GlyphPoint b) => new(a.X - b.X, a.Y - b.Y);

    public static GlyphPoint operator *(double factor, GlyphPoint p) => new(factor * p.X, factor * p.Y);
}

/// <summary>One movement of the pen: cubic Bezier curves end to end, so 3 n + 1 control points.</summary>
internal sealed record GlyphStroke(GlyphPoint[] Points)
{
    private const int StepsPerCurve = 14;

    /// <summary>The curve as a chain of short lines.</summary>
    public List<GlyphPoint> Flatten()
    {
        var line = new List<GlyphPoint> { Points[0] };
        for (var i = 0; i + 3 < Points.Length; i += 3)
            for (var step = 1; step <= StepsPerCurve; step++)
            {
                var t = step / (double)StepsPerCurve;
                var u = 1 - t;
                line.Add((u * u * u * Points[i]) + (3 * u * u * t * Points[i + 1]) + (3 * u * t * t * Points[i + 2]) + (t * t * t * Points[i + 3]));
            }
        return line;
    }

    public GlyphStroke Move(Func<GlyphPoint, GlyphPoint> move) => new(Array.ConvertAll(Points, p => move(p)));
}

/// <summary>The ideal form of a character, which every drawing of it departs from.</summary>
internal sealed record Glyph(GlyphStroke[] Strokes)
{
    /// <summary>The same form, centred in the unit square, its larger side of the given size.</summary>
    public Glyph Fit(double size)
    {
        double left = double.MaxValue, right = double.MinValue, top = double.MaxValue, bottom = double.MinValue;
        foreach (var stroke in Strokes)
            foreach (var p in stroke.Flatten())
            {
                left = Math.Min(left, p.X);
                right = Math.Max(right, p.X);
                top = Math.Min(top, p.Y);
                bottom = Math.Max(bottom, p.Y);
            }
        var scale = size / Math.Max(Math.Max(right - left, bottom - top), 1e-6);
        var centre = new GlyphPoint((left + right) / 2, (top + bottom) / 2);
        return new Glyph(Array.ConvertAll(Strokes, stroke => stroke.Move(p => (scale * (p - centre)) + new GlyphPoint(0.5, 0.5))));
    }

    public double InkLength()
    {
        var length = 0d;
        foreach (var stroke in Strokes)
        {
            var line = stroke.Flatten();
            for (var i = 1; i < line.Count; i++) length += (line[i] - line[i - 1]).Length;
        }
        return length;
    }
}
