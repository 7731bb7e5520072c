using DmlPipeline.Cli;
using DmlPipeline.Cli.Experiments;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;

namespace DmlPipeline.Tests.Pipeline.Cli;

public sealed class FoldTests
{
    [Fact]
    public void Every_training_and_validation_class_is_in_one_fold_and_test_classes_in_none()
    {
        var manifest = Manifest(40, unitOf: name => name);

        var folds = Folds.Of(manifest, 4, seed: 0);

        var known = manifest.Classes.Where(c => c.Split != SplitNames.Test).ToList();
        Enumerable.Range(0, 4).Sum(folds.ClassesOf).ShouldBe(known.Count);
        Enumerable.Range(0, 4).Select(folds.ClassesOf).ShouldAllBe(count => count >= (known.Count / 4) - 2 && count <= (known.Count / 4) + 2);
        known.ShouldAllBe(c => folds.FoldOf(c.Name) >= 0 && folds.FoldOf(c.Name) < 4);
        Should.Throw<KeyNotFoundException>(() => folds.FoldOf(manifest.Classes.First(c => c.Split == SplitNames.Test).Name));
        known.Select(c => Folds.Of(manifest, 4, seed: 0).FoldOf(c.Name)).ShouldBe(known.Select(c => folds.FoldOf(c.Name)));
    }

    [Fact]
    public void Classes_of_one_unit_stay_together_where_there_are_units_enough()
    {
        var many = Manifest(60, unitOf: name => name[..4]);
        var few = Manifest(60, unitOf: name => name[..3]);

        var folds = Folds.Of(many, 2, seed: 0);

        foreach (var unit in many.Classes.Where(c => c.Split != SplitNames.Test).GroupBy(c => c.Unit)) unit.Select(c => folds.FoldOf(c.Name)).Distinct().Count().ShouldBe(1);
        Enumerable.Range(0, 2).Select(Folds.Of(few, 2, seed: 0).ClassesOf).ShouldAllBe(count => count > 0);
    }

    [Fact]
    public void Too_few_classes_are_refused_with_what_can_be_done() =>
        Should.Throw<CliException>(() => Folds.Of(Manifest(8, unitOf: name => name), 4, seed: 0)).Message.ShouldContain("Drop more classes, or ask for fewer --folds");

    /// <summary>Classes c000, c001, …, of which every fourth is for the test and every eighth for validation.</summary>
    private static DatasetManifest Manifest(int classes, Func<string, string> unitOf)
    {
        var reference = new ArtifactRef("some/key", new string('0', 64), 1);
        return new DatasetManifest
        {
            Dataset = "birds", Version = 1, CreatedAt = DateTimeOffset.UnixEpoch, DropId = "drop", ContentHash = new string('a', 64),
            Split = new DatasetSplit("class", "a test", 0.1, 0.25), Counts = new DatasetCounts(classes * 10, 0, 0, 0, 0), Facts = new DatasetFacts(1, 28, 28, DarkOnLight: true),
            Samples = reference, Shards = [],
            Classes = [.. Enumerable.Range(0, classes).Select(i => new DatasetClass(
                $"c{i:000}", unitOf($"c{i:000}"), i % 4 == 0 ? SplitNames.Test : i % 8 == 1 ? SplitNames.Validation : SplitNames.Train, 10 + (i % 3)))],
        };
    }
}
