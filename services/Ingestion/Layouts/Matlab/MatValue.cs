namespace DmlPipeline.Ingestion.Layouts.Matlab;

/// <summary>A MATLAB file cannot be read; completes "the file cannot be read: …".</summary>
internal sealed class MatFormatException(string message) : Exception(message);

/// <summary>An array of a MATLAB file. Elements are in MATLAB's order, column by column; dimensions are not kept.</summary>
internal abstract record MatValue
{
    /// <summary>A char array; several rows are separated by '\n'.</summary>
    public sealed record Text(string Value) : MatValue;

    /// <summary>Any numeric or logical array; imaginary parts are left out.</summary>
    public sealed record Numbers(double[] Values) : MatValue;

    public sealed record Cell(MatValue[] Items) : MatValue;

    /// <summary>An array of structs: of each field the values of all elements.</summary>
    public sealed record Struct(IReadOnlyDictionary<string, MatValue[]> Fields) : MatValue;

    /// <summary>A kind that is skipped: sparse arrays, objects, function handles.</summary>
    public sealed record Other : MatValue;
}
