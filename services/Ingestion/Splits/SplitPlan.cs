using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion.Labels;

namespace DmlPipeline.Ingestion.Splits;

/// <summary>A drop cannot become a version; the message says why and what to do.</summary>
/// <param name="needsMore">Nothing is wrong with what was dropped; there is only too little of it.</param>
internal sealed class DropRejectedException(string message, bool needsMore = false) : Exception(message)
{
    public bool NeedsMore => needsMore;
}

/// <summary>The classes of a version with their splits, and whether they suffice.</summary>
internal sealed record SplitPlan(DatasetSplit Split, IReadOnlyList<DatasetClass> Classes)
{
    // Two classes are the fewest that can be told apart, in training as in the test.
    private const int MinClasses = 2;

    /// <exception cref="DropRejectedException">Too few classes, or settings that contradict the data.</exception>
    public static SplitPlan Make(string dataset, ImageSelection selection, ParentVersion? parent, DatasetSettings settings, IngestionOptions options)
    {
        var before = parent?.Manifest;
        var units = SplitUnits.Choose(selection.Classes().Keys, before, settings);
        var settled = (before?.Classes ?? []).GroupBy(c => c.Unit).ToDictionary(g => g.Key, g => g.First().Split, StringComparer.Ordinal);
        var known = selection.Classes().Keys.Select(units.UnitOf).Distinct(StringComparer.Ordinal).ToList();
        Settle(settled, known, settings.TestClasses, "test_classes", SplitNames.Test, units);
        Settle(settled, known, settings.ValidationClasses, "validation_classes", SplitNames.Validation, units);
        var asked = selection.AskedSplits(units, settled);
        foreach (var (unit, split) in asked) settled[unit] = split;

        var classes = selection.Classes();
        var validation = settings.Validation ?? before?.Split.Validation ?? options.ValidationShare;
        var test = settings.Test ?? before?.Split.Test ?? options.TestShare;
        var assigned = SplitAssigner.Assign(
            dataset, [.. classes.Keys.Select(units.UnitOf).Distinct(StringComparer.Ordinal)], settled, validation, test,
            fillValidation: settings.ValidationClasses.Count == 0 && !asked.ContainsValue(SplitNames.Validation),
            fillTest: settings.TestClasses.Count == 0 && !asked.ContainsValue(SplitNames.Test));
        var plan = new SplitPlan(
            new DatasetSplit(units.By, units.Reason, validation, test),
            [.. classes.Select(c => new DatasetClass(c.Key, units.UnitOf(c.Key), assigned[units.UnitOf(c.Key)], c.Value))]);
        plan.RefuseTooFew();
        return plan;
    }

    private static void Settle(
        Dictionary<string, string> settled, List<string> known, IReadOnlyList<string> names, string option, string split, SplitUnits units)
    {
        foreach (var name in names)
        {
            var meant = known.Where(unit => unit == name || unit.StartsWith(name + "/", StringComparison.Ordinal)).ToList();
            if (meant.Count == 0)
            {
                var hint = units.By == SplitUnits.ByFirstFolder && name.Contains('/', StringComparison.Ordinal)
                    ? "classes are divided by first folder here, so list the folder or set split_by: class"
                    : "no usable class has that name; a misspelt test class would be trained on, so correct it";
                throw new DropRejectedException($"dataset.yaml lists '{EntryPath.Display(name)}' under {option}: {hint}.");
            }
            foreach (var unit in meant)
            {
                if (settled.GetValueOrDefault(unit, split) != split)
                    throw new DropRejectedException(
                        $"dataset.yaml lists '{EntryPath.Display(unit)}' under {option}, but it belongs to {settled[unit]} already and classes never move: take it off the list.");
                settled[unit] = split;
            }
        }
    }

    private void RefuseTooFew()
    {
        var train = Classes.Count(c => c.Split == SplitNames.Train);
        var test = Classes.Count(c => c.Split == SplitNames.Test);
        if (Classes.Count == 1)
            throw new DropRejectedException(
                $"one class only ('{EntryPath.Display(Classes[0].Name)}'): metric learning compares classes, so drop at least 4 of them, with 2 images each", needsMore: true);
        if (train < MinClasses || test < MinClasses)
            throw new DropRejectedException(
                $"too few classes: {Classes.Count} give {train} to train on and {test} to test on, and each needs at least {MinClasses}, "
                + "since a model is judged on classes that it has never seen. Drop at least 4 classes with 2 images each, or divide them otherwise in dataset.yaml",
                needsMore: true);
    }
}
