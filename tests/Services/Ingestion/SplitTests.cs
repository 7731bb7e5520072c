using DmlPipeline.Ingestion.Labels;
using DmlPipeline.Ingestion.Splits;

namespace DmlPipeline.Tests.Services.Ingestion;

public sealed class SplitTests
{
    private static readonly Dictionary<string, string> NothingSettled = [];

    [Theory]
    [InlineData(4, 2, 0, 2)]
    [InlineData(5, 3, 0, 2)]
    [InlineData(6, 2, 2, 2)]
    [InlineData(7, 3, 2, 2)]
    [InlineData(10, 5, 2, 3)]
    [InlineData(30, 19, 3, 8)]
    [InlineData(964, 627, 96, 241)]
    public void Units_are_divided_by_their_number(int units, int train, int validation, int test)
    {
        var splits = Assign(Names(units), NothingSettled).Values.CountBy(s => s).ToDictionary();

        (splits["train"], splits.GetValueOrDefault("validation"), splits["test"]).ShouldBe((train, validation, test));
    }

    [Fact]
    public void The_order_of_units_plays_no_part_and_the_dataset_does()
    {
        var names = Names(30);

        Assign(names, NothingSettled).OrderBy(a => a.Key).ShouldBe(Assign([.. names.Reverse()], NothingSettled).OrderBy(a => a.Key));
        SplitAssigner.Assign("other", names, NothingSettled, 0.1, 0.25).OrderBy(a => a.Key).ShouldNotBe(Assign(names, NothingSettled).OrderBy(a => a.Key));
    }

    [Fact]
    public void Units_never_move_and_shares_stay_near_their_targets_however_classes_arrive()
    {
        for (var seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            var all = Enumerable.Range(0, 200).Select(i => $"unit{random.Next()}-{i}").ToArray();
            IReadOnlyDictionary<string, string> settled = NothingSettled;
            for (var count = random.Next(4, 20); count <= all.Length; count += random.Next(1, 40))
            {
                var assigned = Assign(all[..count], settled);

                assigned.Count.ShouldBe(count);
                foreach (var (unit, split) in settled) assigned[unit].ShouldBe(split);
                assigned.Values.Count(s => s == "train").ShouldBeGreaterThanOrEqualTo(2);
                assigned.Values.Count(s => s == "test").ShouldBeGreaterThanOrEqualTo(2);
                assigned.Values.Count(s => s == "validation").ShouldNotBe(1);
                var target = SplitTargets.For(count, 0.1, 0.25);
                Math.Abs(assigned.Values.Count(s => s == "test") - target.Test).ShouldBeLessThanOrEqualTo(1);
                Math.Abs(assigned.Values.Count(s => s == "validation") - target.Validation).ShouldBeLessThanOrEqualTo(2);
                settled = assigned;
            }
        }
    }

    [Fact]
    public void Classes_in_ten_or_more_first_folders_are_divided_by_folder()
    {
        var deep = Enumerable.Range(0, 40).Select(i => $"alphabet{i % 10}/letter{i}").ToArray();

        SplitUnits.Choose(deep, null, DatasetSettings.None).By.ShouldBe("first-folder");
        SplitUnits.Choose(deep, null, DatasetSettings.None with { SplitBy = "class" }).By.ShouldBe("class");
        SplitUnits.Choose([.. deep, "shallow"], null, DatasetSettings.None).By.ShouldBe("class");
        SplitUnits.Choose([.. deep.Where(c => !c.StartsWith("alphabet9", StringComparison.Ordinal))], null, DatasetSettings.None).By.ShouldBe("class");
        SplitUnits.Choose(deep, null, DatasetSettings.None).UnitOf("alphabet3/letter13").ShouldBe("alphabet3");
    }

    [Fact]
    public async Task A_new_class_in_a_known_first_folder_joins_its_split()
    {
        using var sandbox = new DropSandbox();
        for (var folder = 0; folder < 10; folder++) sandbox.PutClasses(2, 2, $"alphabet{folder}/letter", folder * 10_000);
        var first = await sandbox.BuildWell();
        for (var folder = 0; folder < 10; folder++) sandbox.PutClasses(1, 2, $"alphabet{folder}/late", 200_000 + folder * 10_000);

        var second = await sandbox.BuildWell(first.Manifest, "drop-2");

        first.Manifest.Split.By.ShouldBe("first-folder");
        second.Manifest.Classes.GroupBy(c => c.Unit).ShouldAllBe(unit => unit.Select(c => c.Split).Distinct().Count() == 1 && unit.Count() == 3);
    }

    private static string[] Names(int count) => [.. Enumerable.Range(0, count).Select(i => $"class{i}")];

    private static IReadOnlyDictionary<string, string> Assign(string[] units, IReadOnlyDictionary<string, string> settled) =>
        SplitAssigner.Assign("toys", units, settled, 0.1, 0.25);
}
