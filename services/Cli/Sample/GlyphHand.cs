namespace DmlPipeline.Cli.Sample;

/// <summary>A person's handwriting: habits that all of their drawings share, and the unsteadiness of each.</summary>
internal sealed class GlyphHand
{
    private readonly double slant;
    private readonly double widen;
    private readonly double heighten;
    private readonly double turn;
    private readonly double pen;
    private readonly double unsteadiness;

    public GlyphHand(GlyphRandom random)
    {
        slant = 0.16 * random.Normal();
        turn = 0.07 * random.Normal();
        widen = random.Between(0.72, 1.1);
        heighten = random.Between(0.75, 1.08);
        pen = random.Between(1.8, 3.6);
        unsteadiness = random.Between(0.018, 0.04);
    }

    /// <summary>One drawing of the glyph, [side, side] grey levels, dark on white.</summary>
    public byte[] Draw(Glyph glyph, int side, GlyphRandom random)
    {
        var lean = slant + (0.05 * random.Normal());
        var angle = turn + (0.06 * random.Normal());
        var (sin, cos) = Math.SinCos(angle);
        var wide = widen * (1 + (0.06 * random.Normal()));
        var high = heighten * (1 + (0.06 * random.Normal()));
        var place = new GlyphPoint(0.5 + (0.045 * random.Normal()), 0.5 + (0.045 * random.Normal()));
        var strokes = Array.ConvertAll(glyph.Strokes, stroke =>
        {
            // The stroke as a whole is misplaced, and each of its points besides.
            var shift = Shake(random, 0.8);
            return stroke.Move(p =>
            {
                var q = p + shift + Shake(random, 1) - new GlyphPoint(0.5, 0.5);
                var x = (q.X - (lean * q.Y)) * wide;
                var y = q.Y * high;
                return new GlyphPoint((cos * x) - (sin * y), (sin * x) + (cos * y)) + place;
            });
        });
        return GlyphRaster.Draw(strokes, side, pen * side / 64 * (1 + (0.1 * random.Normal())));
    }

    private GlyphPoint Shake(GlyphRandom random, double factor) => factor * unsteadiness * new GlyphPoint(random.Normal(), random.Normal());
}
