using System.Globalization;
using DmlPipeline.Learning.Losses;

namespace DmlPipeline.Tests.Torch.Learning.Losses;

public sealed class LossDocsTests
{
    [Fact]
    public void The_readme_lists_every_loss_with_its_options_as_the_catalogue_has_them()
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Learning", "Losses", "README.md"));

        text.ShouldContain(Table(), customMessage: $"shared/Learning/Losses/README.md does not hold the catalogue's table, which is:\n{Table()}");
    }

    private static string Table() => string.Join('\n', LossCatalogue.All.Select(Row));

    private static string Row(LossEntry entry) =>
        $"| `{entry.Name}` | {entry.Paper} | `{entry.Formula.Replace("|", "\\|", StringComparison.Ordinal)}` | {string.Join("<br>", entry.Options.Select(Option))} |";

    private static string Option(LossOption option) =>
        $"`{option.Name}` {Value(option)}: {option.Reason}";

    private static string Value(LossOption option) => option.Default switch
    {
        double number => number.ToString(CultureInfo.InvariantCulture),
        bool flag => flag ? "true" : "false",
        _ => string.Join(" \\| ", option.Choices),
    };
}
