using System.Text;

namespace DmlPipeline.Ingestion.Layouts.Matlab;

/// <summary>Reads arrays, and the arrays inside cells and structs. One per file: it counts what it reads.</summary>
internal sealed class MatArrays
{
    private const int MaxArrays = 1_000_000;
    private const int MaxDepth = 8;
    private const int CellClass = 1, StructClass = 2, CharClass = 4, DoubleClass = 6, LastNumericClass = 15;

    // An array inside a cell or struct is at least a tag.
    private const int SmallestArray = 8;

    private int arrays;

    public (string Name, MatValue Value) Read(ReadOnlyMemory<byte> matrix, int depth)
    {
        if (depth > MaxDepth) throw new MatFormatException($"it nests more than {MaxDepth} deep");
        if (++arrays > MaxArrays) throw new MatFormatException($"it holds more than {MaxArrays:N0} arrays");
        // An empty array inside a cell or struct may have no content at all.
        if (matrix.Length == 0) return ("", new MatValue.Numbers([]));

        var flags = MatElement.Next(ref matrix);
        if (flags.Type != MatType.UInt32 || flags.Data.Length != 8) throw new MatFormatException("an array of it begins wrongly");
        var kind = flags.Data.Span[0];
        // What comes above has another form, and no name here.
        if (kind > LastNumericClass) return ("", new MatValue.Other());
        var dimensions = MatElement.Next(ref matrix).Numbers();
        var count = Count(dimensions);
        var name = MatElement.Next(ref matrix).Text();
        return (name, kind switch
        {
            CellClass => new MatValue.Cell(Many(ref matrix, count, depth)),
            StructClass => Struct(ref matrix, count, depth),
            CharClass => new MatValue.Text(Rows(MatElement.Next(ref matrix).Text(), (int)dimensions[0])),
            < DoubleClass => new MatValue.Other(),
            _ => new MatValue.Numbers(MatElement.Next(ref matrix).Numbers()),
        });
    }

    private static long Count(double[] dimensions)
    {
        if (dimensions.Length < 2 || Array.Exists(dimensions, d => d is < 0 or > int.MaxValue)) throw new MatFormatException("an array of it has no dimensions");
        var count = dimensions.Aggregate(1.0, (product, d) => product * d);
        return count <= int.MaxValue ? (long)count : throw new MatFormatException("an array of it is too large");
    }

    private MatValue[] Many(ref ReadOnlyMemory<byte> rest, long count, int depth)
    {
        if (count * SmallestArray > rest.Length) throw new MatFormatException("it promises more elements than it holds");
        var items = new MatValue[count];
        for (var i = 0; i < items.Length; i++) items[i] = One(ref rest, depth);
        return items;
    }

    private MatValue One(ref ReadOnlyMemory<byte> rest, int depth)
    {
        var element = MatElement.Next(ref rest);
        return element.Type == MatType.Matrix ? Read(element.Data, depth + 1).Value : throw new MatFormatException("an element of a cell or struct is no array");
    }

    private MatValue.Struct Struct(ref ReadOnlyMemory<byte> rest, long count, int depth)
    {
        if (MatElement.Next(ref rest).Numbers() is not [>= 1 and <= 1024 and var width]) throw new MatFormatException("a struct of it has no field names");
        var text = MatElement.Next(ref rest).Data;
        if (text.Length % (int)width != 0) throw new MatFormatException("a struct of it has broken field names");
        var names = Enumerable.Range(0, text.Length / (int)width)
            .Select(i => Encoding.Latin1.GetString(text.Span.Slice(i * (int)width, (int)width)).Split('\0')[0]).ToArray();
        if (names.Distinct(StringComparer.Ordinal).Count() != names.Length) throw new MatFormatException("a struct of it names a field twice");
        if (names.Length == 0) return new MatValue.Struct(new Dictionary<string, MatValue[]>(StringComparer.Ordinal));
        if (count * names.Length * SmallestArray > rest.Length) throw new MatFormatException("it promises more elements than it holds");

        var fields = names.Select(_ => new MatValue[count]).ToArray();
        for (var i = 0; i < count; i++)
            foreach (var field in fields) field[i] = One(ref rest, depth);
        return new MatValue.Struct(Enumerable.Range(0, names.Length).ToDictionary(f => names[f], f => fields[f], StringComparer.Ordinal));
    }

    // Column by column, as all arrays are: of a 2 x 3 array the characters 0, 2, 4 are the first row.
    private static string Rows(string characters, int rows)
    {
        if (rows <= 1) return characters;
        var lines = new List<string>();
        for (var row = 0; row < Math.Min(rows, characters.Length); row++)
        {
            var line = new StringBuilder();
            for (var i = row; i < characters.Length; i += rows) line.Append(characters[i]);
            lines.Add(line.ToString().TrimEnd());
        }
        return string.Join('\n', lines);
    }
}
