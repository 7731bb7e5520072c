using System.CommandLine;
using System.CommandLine.Parsing;
using DmlPipeline.Learning.Baselines;

namespace DmlPipeline.Cli.Judging;

/// <summary>What is fitted to classes that are not judged, before others are.</summary>
/// <param name="Linear">Linear baselines.</param>
/// <param name="Settings">How they are fitted.</param>
/// <param name="Calibrate">Whether to fit probabilities and thresholds.</param>
/// <param name="FitOn">A dataset, folder or archive; null for the dataset version that the model was trained on.</param>
internal sealed record FittingOptions(IReadOnlyList<LinearMethod> Linear, LinearSettings Settings, bool Calibrate, string? FitOn)
{
    private static readonly Option<string> LinearOption = new("--linear")
    {
        Description = $"Linear baselines on raw pixels and on the embeddings, separated by commas: {string.Join(", ", LinearBaseline.Names)}", HelpName = "LIST",
    };

    private static readonly Option<int> DimensionsOption = new("--dimensions")
    {
        Description = $"Of --linear: discriminants of LDA, principal components before KISSME and LDML. Default: {new LinearSettings().Dimensions}", HelpName = "N",
    };

    private static readonly Option<bool> CalibrateOption = new("--calibrate") { Description = "Probabilities and thresholds of similarity, and how they hold on the images judged" };

    private static readonly Option<string> FitOnOption = new("--fit-on")
    {
        Description = "What --linear and --calibrate learn from. Default: the training and the validation classes of the model's own dataset version", HelpName = "NAME-OR-PATH",
    };

    public static IReadOnlyList<Option> All { get; } = [LinearOption, DimensionsOption, CalibrateOption, FitOnOption];

    /// <summary>For a command's validators: wrong values, and what goes without what.</summary>
    public static void Validate(CommandResult result)
    {
        try
        {
            if (Value(LinearOption) is { } names && Parse(names).Any(method => method != LinearMethod.Lda) && JudgingOptions.ChangesRanking(result))
                result.AddError("KISSME and LDML are ranked by distance: --rerank, --query-expansion and --gallery-augmentation go with --linear lda only");
        }
        catch (ArgumentException e)
        {
            result.AddError(e.Message);
        }
        if (result.GetResult(DimensionsOption) is not null && result.GetResult(LinearOption) is null) result.AddError("--dimensions is for --linear: say which, for example --linear lda");
        if (result.GetResult(DimensionsOption) is { Tokens: [{ Value: var text }] } && int.TryParse(text, out var number) && number < 1) result.AddError("--dimensions must be at least 1");
        if (result.GetResult(FitOnOption) is not null && result.GetResult(LinearOption) is null && result.GetResult(CalibrateOption) is null)
            result.AddError("--fit-on is for --linear and --calibrate: give one of them");

        string? Value(Option<string> option) => result.GetResult(option) is { Tokens: [var token, ..] } ? token.Value : null;
    }

    public static FittingOptions Read(ParseResult parse)
    {
        var settings = new LinearSettings { Ldml = new LdmlSettings { Seed = JudgingOptions.Read(parse).KMeans.Seed } };
        if (parse.GetResult(DimensionsOption) is not null) settings = settings with { Dimensions = parse.GetValue(DimensionsOption) };
        return new FittingOptions(parse.GetValue(LinearOption) is { } names ? Parse(names) : [], settings, parse.GetValue(CalibrateOption), parse.GetValue(FitOnOption));
    }

    private static LinearMethod[] Parse(string names) =>
        [.. names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(LinearBaseline.Parse).Distinct()];
}
