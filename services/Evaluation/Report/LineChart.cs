namespace DmlPipeline.Evaluation.Report;

/// <summary>A line chart as inline SVG, drawn in the page's colours.</summary>
internal sealed record LineChart(string Title, IReadOnlyList<(double X, double Y)> Points)
{
    private const double Width = 560, Height = 260, Left = 58, Right = 14, Top = 16, Bottom = 34;

    // More than the eye can tell apart at this width.
    private const int MostPoints = 400;

    /// <summary>How values are written, as in "0.0 %".</summary>
    public string Format { get; init; } = "0.###";

    /// <summary>What no value can exceed, so that no tick does; infinite where nothing limits them.</summary>
    public double Highest { get; init; } = double.PositiveInfinity;

    /// <summary>The class of the line in the style sheet.</summary>
    public string Line { get; init; } = "a";

    /// <summary>Whether the title names the highest value and a dot marks its first place.</summary>
    public bool MarksBest { get; init; }

    public void Write(HtmlWriter html)
    {
        var points = Points.Where(p => double.IsFinite(p.X) && double.IsFinite(p.Y)).ToArray();
        html.Write($"""<figure class="chart"><figcaption>{Title}""");
        if (points.Length == 0)
        {
            html.Markup("""</figcaption><p class="none">Not measured.</p></figure>""");
            return;
        }

        var best = points.MaxBy(p => p.Y);
        if (MarksBest) html.Write($"""<span>best {best.Y.ToString(Format)} in epoch {best.X}</span>""");
        html.Markup("</figcaption>");
        var yTicks = Ticks(points.Min(p => p.Y), points.Max(p => p.Y), 4, Highest);
        var (firstX, lastX) = (points[0].X, points[^1].X);
        html.Write($"""<svg viewBox="0 0 {Width} {Height}" role="img" aria-label="{Title}: {points[0].Y.ToString(Format)} in epoch {firstX}, {points[^1].Y.ToString(Format)} in epoch {lastX}, at most {best.Y.ToString(Format)}">""");
        foreach (var tick in yTicks)
        {
            var y = Y(tick);
            html.Write($"""<line class="grid" x1="{Left}" x2="{Width - Right}" y1="{y:0.#}" y2="{y:0.#}"/><text class="tick" x="{Left - 8}" y="{y + 4:0.#}" text-anchor="end">{tick.ToString(Format)}</text>""");
        }
        foreach (var tick in Ticks(firstX, lastX, 6).Where(t => t >= firstX && t <= lastX && t % 1 == 0))
            html.Write($"""<text class="tick" x="{X(tick):0.#}" y="{Height - 12}" text-anchor="middle">{tick}</text>""");

        var shown = Thin(points);
        var line = string.Join(' ', shown.Select(p => $"{X(p.X):0.#},{Y(p.Y):0.#}"));
        html.Write($"""<polyline class="line {Line}" points="{line}"/>""");
        if (shown.Length <= 60)
            foreach (var p in shown)
                html.Write($"""<circle class="dot {Line}" cx="{X(p.X):0.#}" cy="{Y(p.Y):0.#}" r="3"><title>epoch {p.X}: {p.Y.ToString(Format)}</title></circle>""");
        if (MarksBest) html.Write($"""<circle class="best {Line}" cx="{X(best.X):0.#}" cy="{Y(best.Y):0.#}" r="5"/>""");
        html.Markup("</svg></figure>");

        double X(double value) => lastX > firstX ? Left + ((value - firstX) / (lastX - firstX) * (Width - Left - Right)) : (Left + Width - Right) / 2;
        double Y(double value) => Top + ((yTicks[^1] - value) / (yTicks[^1] - yTicks[0]) * (Height - Top - Bottom));
    }

    /// <summary>Round numbers that span the range.</summary>
    /// <param name="low">The lowest value.</param>
    /// <param name="high">The highest value.</param>
    /// <param name="about">How many, roughly.</param>
    /// <param name="highest">None lies above it where no value does.</param>
    internal static double[] Ticks(double low, double high, int about, double highest = double.PositiveInfinity)
    {
        if (high - low < 1e-9 * Math.Max(1, Math.Abs(high))) (low, high) = (low - (Math.Abs(low) * 0.1) - 0.01, Math.Min(highest, high + (Math.Abs(high) * 0.1) + 0.01));
        var rough = (high - low) / about;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = power * ((rough / power) switch { < 1.5 => 1.0, < 3.5 => 2, < 7.5 => 5, _ => 10 });
        var first = Math.Floor((low / step) + 1e-9);
        var last = Math.Ceiling((high / step) - 1e-9);
        // Counted in steps and rounded, so that 0.3 is not 0.30000000000000004.
        return [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => Math.Round((first + i) * step, 12))];
    }

    private static (double X, double Y)[] Thin((double X, double Y)[] points) =>
        points.Length <= MostPoints ? points : [.. Enumerable.Range(0, MostPoints).Select(i => points[(int)((long)i * (points.Length - 1) / (MostPoints - 1))])];
}
