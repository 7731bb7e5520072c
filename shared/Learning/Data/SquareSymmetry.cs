namespace DmlPipeline.Learning.Data;

/// <summary>The eight ways to lay a square image: four quarter turns, and the same of its mirror image.</summary>
internal static class SquareSymmetry
{
    /// <summary>How many there are.</summary>
    public const int Count = 8;

    /// <summary>For people: what was done to the image, "" for nothing.</summary>
    public static string NameOf(int symmetry) => (symmetry >= 4 ? " mirrored" : "") + (symmetry % 4 == 0 ? "" : $" turned {symmetry % 4 * 90}°");

    /// <summary>Lays a channel-row-column image of <paramref name="side"/> × <paramref name="side"/> pixels; 0 leaves it as it is.</summary>
    /// <param name="source">The image.</param>
    /// <param name="target">As long as the source, and not the same memory.</param>
    /// <param name="side">Rows, and columns.</param>
    /// <param name="symmetry">Quarter turns counter-clockwise in 0 … 3; 4 … 7: mirrored left to right first.</param>
    public static void Lay(ReadOnlySpan<byte> source, Span<byte> target, int side, int symmetry)
    {
        var area = side * side;
        var last = side - 1;
        // Where the target's top left pixel comes from, and how far apart in the source its neighbours to the right and below are.
        var (first, right, down) = (symmetry % 4) switch
        {
            0 => (0, 1, side),
            1 => (last, side, -1),
            2 => (area - 1, -1, -side),
            _ => (last * side, -side, 1),
        };
        if (symmetry >= 4) (first, right, down) = (Mirrored(first), Mirrored(right, isStep: true), Mirrored(down, isStep: true));
        for (var offset = 0; offset < source.Length; offset += area)
            for (var row = 0; row < side; row++)
            {
                var from = offset + first + (row * down);
                var to = target.Slice(offset + (row * side), side);
                for (var column = 0; column < side; column++, from += right) to[column] = source[from];
            }

        // A mirror image of the source is the source read with its columns the other way round.
        int Mirrored(int place, bool isStep = false) => isStep
            ? (Math.Abs(place) == 1 ? -place : place)
            : (place / side * side) + last - (place % side);
    }
}
