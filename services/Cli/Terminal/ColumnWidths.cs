namespace DmlPipeline.Cli.Terminal;

/// <summary>How wide the columns of a table are on a terminal that may be too narrow for it.</summary>
internal static class ColumnWidths
{
    /// <param name="lines">Headings and rows; each has the same number of cells, one at least.</param>
    /// <param name="whole">Of each column, whether its cells are never folded: numbers with their units.</param>
    /// <param name="gap">Between two columns.</param>
    /// <param name="available">Of the terminal.</param>
    /// <returns>The widest columns folded between words until all fit; null when the words themselves do not fit beside each other.</returns>
    public static int[]? Fit(IReadOnlyList<IReadOnlyList<string>> lines, IReadOnlyList<bool> whole, int gap, int available)
    {
        var columns = Enumerable.Range(0, lines[0].Count).ToArray();
        var widths = columns.Select(column => lines.Max(line => Longest(line[column], '\n'))).ToArray();
        var least = columns.Select(column => whole[column] ? widths[column] : lines.Max(line => Longest(line[column], ' ', '\n'))).ToArray();
        var room = available - (gap * (columns.Length - 1));
        if (least.Sum() > room) return null;
        while (widths.Sum() > room) widths[columns.Where(column => widths[column] > least[column]).MaxBy(column => widths[column])]--;
        return widths;
    }

    private static int Longest(string text, params char[] between) => text.Split(between).Max(part => part.Length);
}
