using System.CommandLine;
using System.CommandLine.Parsing;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Cli.Experiments;

/// <summary>What the commands for benchmarks and sweeps have in common.</summary>
internal static class ExperimentOptions
{
    public static Option<string> Name(string kind) => new("--name") { Description = $"Name of the folder under HOME/{kind}. Default: made of the dataset and the inputs", HelpName = "NAME" };

    public static string Root(OpenedHome home, string kind) => Path.Combine(home.Home.Path, kind);

    public static void Within(OptionResult result, int low, int high)
    {
        if (result.GetValueOrDefault<int>() is var value && (value < low || value > high)) result.AddError($"{result.Option.Name} must be {low} to {high}");
    }

    public static void MetricList(OptionResult result)
    {
        try
        {
            ParseMetrics(result.GetValueOrDefault<string>());
        }
        catch (ArgumentException e)
        {
            result.AddError(e.Message);
        }
    }

    public static IReadOnlyList<Metric>? ParseMetrics(string? text) =>
        text is null ? null : [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Metric.Parse).Distinct()];

    /// <summary>The recipe with another length, where one is given; checked like any recipe.</summary>
    public static TrainingRecipe WithLength(TrainingRecipe recipe, string? budget, int? epochs)
    {
        if (budget is null && epochs is null) return recipe;
        var time = budget is not null && Duration.TryParse(budget, out var parsed) ? parsed : (TimeSpan?)null;
        return RecipeFile.Parse(RecipeFile.ToCanonicalJson(recipe with { Budget = time, Epochs = epochs }), budget is null ? "--epochs" : "--budget");
    }

    public static void SayHowToGoOn(Screen screen, ParseResult parse, string folder)
    {
        screen.Live.Keep($"Everything so far is kept in {folder}. The same command goes on from there:");
        screen.Live.Keep($"  {Hint.Command(parse.Tokens.Select(token => Hint.Quote(token.Value)))}");
    }
}
