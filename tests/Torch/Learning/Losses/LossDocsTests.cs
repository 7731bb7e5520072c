using System.Globalization;
using DmlPipeline.Learning.Losses;

namespace DmlPipeline.Tests.Torch.Learning.Losses;

public sealed class LossDocsTests
{
    [Fact]
    public void The_readme_lists_every_loss_with_its_options_and_its_oracle()
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Learning", "Losses", "README.md"));

        text.ShouldContain(Table(), customMessage: $"shared/Learning/Losses/README.md does not hold the catalogue's table, which is:\n{Table()}");
    }

    private static string Table() => string.Join('\n', LossCatalogue.All.Select(Row));

    private static string Row(LossEntry entry) =>
        $"| `{entry.Name}` | {entry.Paper} | `{entry.Formula.Replace("|", "\\|", StringComparison.Ordinal)}` | {string.Join("<br>", entry.Options.Select(Option))} | {Parity(entry)} |";

    private static string Parity(LossEntry entry)
    {
        var oracles = GoldenCase.All.Values.Where(@case => @case.Loss.Name == entry.Name).Select(@case => @case.Oracle).Distinct().OrderDescending(StringComparer.Ordinal);
        return string.Create(CultureInfo.InvariantCulture, $"{string.Join(", ", oracles)} < 1e{Math.Log10(Losses.Parity.Bound(entry)):0}");
    }

    private static string Option(LossOption option) =>
        $"`{option.Name}` {Value(option)}: {option.Reason}";

    private static string Value(LossOption option) => option.Default switch
    {
        double number => number.ToString(CultureInfo.InvariantCulture),
        bool flag => flag ? "true" : "false",
        _ => string.Join(" \\| ", option.Choices),
    };
}
