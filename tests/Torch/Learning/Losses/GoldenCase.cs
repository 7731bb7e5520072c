using System.Globalization;
using System.Text.Json;
using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Tests.Torch.Learning.Losses;

/// <summary>A loss with its options and what its oracle says of one batch: a case of the files that make_parity_golden.py writes.</summary>
internal sealed record GoldenCase(LossSettings Loss, string Title, GoldenBatch Batch, string Oracle, double Value, double[] Gradient, GoldenParameter[] Parameters)
{
    /// <summary>By title: the loss and the options that are not its defaults.</summary>
    public static IReadOnlyDictionary<string, GoldenCase> All { get; } =
        new[] { "pairs-golden.json", "class-weights-golden.json" }.SelectMany(Read).ToDictionary(@case => @case.Title, StringComparer.Ordinal);

    public static TheoryData<string> Titles => [.. All.Keys];

    private static IEnumerable<GoldenCase> Read(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Learning", "Losses", file)));
        var root = document.RootElement;
        var batch = new GoldenBatch(Numbers(root, "features"), root.GetProperty("dimensions").GetInt32(), [.. Numbers(root, "labels").Select(label => (long)label)]);
        return [.. root.GetProperty("cases").EnumerateArray().Select(@case => Of(@case, batch))];
    }

    private static GoldenCase Of(JsonElement @case, GoldenBatch batch)
    {
        var settings = @case.GetProperty("loss").EnumerateObject().ToDictionary(option => option.Name, option => Option(option.Value), StringComparer.Ordinal);
        settings.Remove("name", out var name);
        return new GoldenCase(
            new LossSettings((string)name!, settings), string.Join(", ", settings.Select(option => string.Create(CultureInfo.InvariantCulture, $"{option.Key} {option.Value}")).Prepend(name)),
            batch, @case.GetProperty("oracle").GetString()!, @case.GetProperty("value").GetDouble(), Numbers(@case, "gradient"),
            [.. @case.GetProperty("parameters").EnumerateObject().Select(p => new GoldenParameter(p.Name, Numbers(p.Value, "values"), Numbers(p.Value, "gradient")))]);
    }

    private static object Option(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDouble(),
        JsonValueKind.String => value.GetString()!,
        _ => value.GetBoolean(),
    };

    private static double[] Numbers(JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(x => x.GetDouble())];
}

/// <summary>Features row by row and their labels, of four classes.</summary>
internal sealed record GoldenBatch(double[] Features, int Dimensions, long[] Labels)
{
    public const int Classes = 4;
}

/// <summary>What a loss learns beside the model, and the gradient on it.</summary>
internal sealed record GoldenParameter(string Name, double[] Values, double[] Gradient);
