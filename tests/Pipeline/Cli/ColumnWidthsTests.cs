using DmlPipeline.Cli.Terminal;

namespace DmlPipeline.Tests.Pipeline.Cli;

public class ColumnWidthsTests
{
    private static readonly string[][] Lines = [["run", "started", "why"], ["birds-v1", "2026-11-21 14:07", "first version of the dataset"]];

    private static readonly bool[] Folded = [false, false, false];

    [Theory]
    [InlineData(58, new[] { 8, 16, 28 })]
    [InlineData(46, new[] { 8, 16, 16 })]
    [InlineData(36, new[] { 8, 11, 11 })]
    [InlineData(31, new[] { 8, 10, 7 })]
    public void The_widest_columns_are_folded_until_all_fit(int available, int[] widths) => ColumnWidths.Fit(Lines, Folded, gap: 3, available).ShouldBe(widths);

    [Fact]
    public void Numbers_stay_with_their_units() =>
        ColumnWidths.Fit([["map@r", "why"], ["35.7 percent", "first version"]], [true, false], gap: 3, available: 22).ShouldBe([12, 7]);

    [Fact]
    public void Words_are_never_cut() => ColumnWidths.Fit(Lines, Folded, gap: 3, available: 30).ShouldBeNull();

    [Fact]
    public void Lines_within_a_cell_stand_below_each_other() => ColumnWidths.Fit([["a\nbcd", ""]], [false, false], gap: 1, available: 10).ShouldBe([3, 0]);
}
