using System.Globalization;
using System.Text;

namespace DmlPipeline.Benchmarks;

/// <summary>MAP@R over α, which doubles from tick to tick.</summary>
internal static class AlphaPlot
{
    private const double Width = 560, Height = 300, Left = 56, Right = 60, Top = 18, Bottom = 48;
    private static readonly string[] Colours = ["#1f6fb4", "#c2571a"];

    /// <summary>One line of the plot: α and MAP@R in per cent.</summary>
    public sealed record Curve(string Name, IReadOnlyList<(double Alpha, double MapAtR)> Points);

    public static string Svg(IReadOnlyList<Curve> curves)
    {
        var all = curves.SelectMany(curve => curve.Points).ToList();
        var (low, high) = (Math.Floor(all.Min(p => p.MapAtR) / 5) * 5, Math.Ceiling(all.Max(p => p.MapAtR) / 5) * 5);
        var (first, last) = (Math.Log2(all.Min(p => p.Alpha)), Math.Log2(all.Max(p => p.Alpha)));
        var svg = new StringBuilder();
        Add($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="MAP@R over alpha">""");
        Add($"""<rect width="{Width}" height="{Height}" fill="#fff"/>""");
        for (var tick = low; tick <= high; tick += 5)
            Add($"""<line x1="{Left}" x2="{Width - Right}" y1="{Y(tick):0.#}" y2="{Y(tick):0.#}" stroke="#ddd"/><text x="{Left - 8}" y="{Y(tick) + 4:0.#}" text-anchor="end">{tick:0} %</text>""");
        foreach (var alpha in all.Select(p => p.Alpha).Distinct())
            Add($"""<text x="{X(alpha):0.#}" y="{Height - Bottom + 20}" text-anchor="middle">{alpha}</text>""");
        Add($"""<text x="{(Left + Width - Right) / 2}" y="{Height - 8}" text-anchor="middle">α, the inverse temperature</text>""");
        foreach (var (curve, colour) in curves.Zip(Colours))
        {
            Add($"""<polyline fill="none" stroke="{colour}" stroke-width="2" points="{string.Join(' ', curve.Points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.Alpha):0.#},{Y(p.MapAtR):0.#}")))}"/>""");
            foreach (var p in curve.Points)
                Add($"""<circle cx="{X(p.Alpha):0.#}" cy="{Y(p.MapAtR):0.#}" r="3.5" fill="{colour}"><title>{curve.Name}, α {p.Alpha}: {p.MapAtR:0.0} %</title></circle>""");
            var end = curve.Points[^1];
            Add($"""<text x="{X(end.Alpha) + 10:0.#}" y="{Y(end.MapAtR) + 4:0.#}" fill="{colour}">{curve.Name}</text>""");
        }
        Add($"</svg>");
        return svg.ToString();

        double X(double alpha) => Left + ((Math.Log2(alpha) - first) / Math.Max(1e-9, last - first) * (Width - Left - Right));
        double Y(double value) => Top + ((high - value) / (high - low) * (Height - Top - Bottom));
        void Add(FormattableString line) => svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }
}
