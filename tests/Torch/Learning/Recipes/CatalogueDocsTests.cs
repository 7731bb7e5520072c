using System.Globalization;
using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Regularisers;

namespace DmlPipeline.Tests.Torch.Learning.Recipes;

public sealed class CatalogueDocsTests
{
    private static readonly string Text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Learning", "Recipes", "README.md"));

    [Fact]
    public void The_readme_lists_every_reduction()
    {
        var table = string.Join('\n', Reductions.All.Select(entry => $"| `{entry.Name}` | {Bars(entry.Formula)} | {Options(entry.Options)} |"));

        Text.ShouldContain(table, customMessage: $"shared/Learning/Recipes/README.md does not hold the reductions, which are:\n{table}");
    }

    [Fact]
    public void The_readme_lists_every_regulariser()
    {
        var table = string.Join('\n', RegulariserCatalogue.All.Select(entry =>
            $"| `{entry.Name}` | {(entry.OfFeatures is null ? "class weights" : "features")} | {entry.Paper} | {Bars(entry.Formula)} | {Options(entry.Options)} |"));

        Text.ShouldContain(table, customMessage: $"shared/Learning/Recipes/README.md does not hold the regularisers, which are:\n{table}");
    }

    private static string Bars(string formula) => formula.Replace("|", "\\|", StringComparison.Ordinal);

    private static string Options(IReadOnlyList<LossOption> options) =>
        string.Join("<br>", options.Select(option => string.Create(CultureInfo.InvariantCulture, $"`{option.Name}` {option.Default}: {option.Reason}")));
}
