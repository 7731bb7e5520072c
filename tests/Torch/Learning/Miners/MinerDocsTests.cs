using System.Globalization;
using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Miners;

namespace DmlPipeline.Tests.Torch.Learning.Miners;

public sealed class MinerDocsTests
{
    [Fact]
    public void The_readme_lists_every_miner_with_its_options_and_the_losses_that_take_one()
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Learning", "Miners", "README.md"));

        text.ShouldContain(Table(), customMessage: $"shared/Learning/Miners/README.md does not hold the catalogue's table, which is:\n{Table()}");
        foreach (var loss in LossCatalogue.All.Where(entry => entry.TakesMiner)) text.ShouldContain($"`{loss.Name}`");
    }

    private static string Table() => string.Join('\n', MinerCatalogue.All.Select(Row));

    private static string Row(MinerEntry entry) =>
        $"| `{entry.Name}` | {entry.Source} | {entry.Choice} | {string.Join("<br>", entry.Options.Where(option => !IsShared(option)).Select(Option))}{(entry.Options.Any(IsShared) ? $"{(entry.Options.All(IsShared) ? "" : "<br>")}[distance](#distance)" : "")} |";

    // Said once, below the table.
    private static bool IsShared(LossOption option) => option.Name is "distance" or "p" or "normalised";

    private static string Option(LossOption option) => $"`{option.Name}` {Value(option)}: {option.Reason}";

    private static string Value(LossOption option) => option.Default switch
    {
        double number => number.ToString(CultureInfo.InvariantCulture),
        bool flag => flag ? "true" : "false",
        _ => string.Join(" \\| ", option.Choices),
    };
}
