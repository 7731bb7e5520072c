namespace DmlPipeline.Cli.Sample;

/// <summary>A made-up script: its characters share the places where strokes meet, how much they bend and how symmetric they are.</summary>
internal sealed class GlyphAlphabet
{
    // Two characters of a script must differ by this share of their ink when compared coarsely, or people could not tell them apart.
    private const double LeastDifference = 0.4;
    private const int CoarseSide = 12;
    private const double CoarsePen = 2.6;

    // A character's larger side, of the unit square; and how long its strokes are together at least, so that none is a mere dash.
    private const double Size = 0.68;
    private const double LeastInk = 1.3;
    private const int Attempts = 200;

    private readonly GlyphPoint[] anchors;
    private readonly double bend;
    private readonly double symmetry;
    private readonly int fewestStrokes;
    private readonly int mostStrokes;
    private readonly double secondCurve;

    public GlyphAlphabet(int characters, GlyphRandom random)
    {
        bend = random.Between(0, 0.55);
        symmetry = random.Between(0, 0.5);
        fewestStrokes = 1 + random.Below(2);
        mostStrokes = fewestStrokes + 1 + random.Below(2);
        secondCurve = random.Between(0.1, 0.8);
        anchors = new GlyphPoint[6 + random.Below(4)];
        for (var i = 0; i < anchors.Length; i++) anchors[i] = Anchor(random);

        Characters = new Glyph[characters];
        var coarse = new List<byte[]>();
        for (var c = 0; c < characters; c++)
        {
            Glyph glyph;
            byte[] image;
            var attempt = 0;
            do
            {
                glyph = NewGlyph(random);
                image = GlyphRaster.Draw(glyph.Strokes, CoarseSide, CoarsePen);
            }
            while (++attempt < Attempts && (glyph.InkLength() < LeastInk || coarse.Exists(other => Difference(image, other) < LeastDifference)));
            Characters[c] = glyph;
            coarse.Add(image);
        }
    }

    public Glyph[] Characters { get; }

    /// <summary>Corners and middles of a 3 x 4 grid, each script with its own deviations.</summary>
    private static GlyphPoint Anchor(GlyphRandom random) =>
        new(0.2 + (0.3 * random.Below(3)) + random.Between(-0.07, 0.07), 0.15 + (0.233 * random.Below(4)) + random.Between(-0.06, 0.06));

    private Glyph NewGlyph(GlyphRandom random)
    {
        var strokes = new List<GlyphStroke>();
        var count = fewestStrokes + random.Below(mostStrokes - fewestStrokes + 1);
        while (strokes.Count < count)
        {
            var stroke = NewStroke(random);
            strokes.Add(stroke);
            if (random.Uniform() < symmetry) strokes.Add(stroke.Move(p => new GlyphPoint(1 - p.X, p.Y)));
        }
        return new Glyph([.. strokes]).Fit(Size);
    }

    private GlyphStroke NewStroke(GlyphRandom random)
    {
        var curves = random.Uniform() < secondCurve ? 2 : 1;
        var points = new List<GlyphPoint> { anchors[random.Below(anchors.Length)] };
        for (var c = 0; c < curves; c++)
        {
            var from = points[^1];
            var to = from;
            while ((to - from).Length < 0.2) to = anchors[random.Below(anchors.Length)] + new GlyphPoint(random.Between(-0.08, 0.08), random.Between(-0.08, 0.08));
            var along = to - from;
            var across = random.Normal() * bend * new GlyphPoint(-along.Y, along.X);
            points.Add(from + (0.33 * along) + across);
            points.Add(from + (0.67 * along) + across + (0.3 * random.Normal() * bend * new GlyphPoint(-along.Y, along.X)));
            points.Add(to);
        }
        return new GlyphStroke([.. points]);
    }

    /// <summary>0 = the same, 1 = no ink in common.</summary>
    private static double Difference(byte[] a, byte[] b)
    {
        double apart = 0, ink = 0;
        for (var i = 0; i < a.Length; i++)
        {
            apart += Math.Abs(a[i] - b[i]);
            ink += 510 - a[i] - b[i];
        }
        return apart / Math.Max(ink, 1);
    }
}
