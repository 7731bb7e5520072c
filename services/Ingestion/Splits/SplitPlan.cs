using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion.Labels;
using DmlPipeline.Ingestion.Layouts;

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

    /// <param name="layout">The published dataset that was recognised, or null.</param>
    /// <exception cref="DropRejectedException">Too few classes, or settings that contradict the data.</exception>
    public static SplitPlan Make(
        string dataset, ImageSelection selection, ParentVersion? parent, DatasetSettings settings, RecognisedLayout? layout, IngestionOptions options)
    {
        var before = parent?.Manifest;
        var isOfficial = layout is { IsOfficial: true };
        var units = isOfficial ? layout!.Layout.OfficialUnits : SplitUnits.Choose(selection.Classes().Keys, before, settings);
        if (layout is not null && !isOfficial) units = units with { Reason = $"{layout.Layout.Recognised}; {units.Reason}" };
        var settled = (before?.Classes ?? []).GroupBy(c => c.Unit).ToDictionary(g => g.Key, g => g.First().Split, StringComparer.Ordinal);
        var known = selection.Classes().Keys.Select(units.UnitOf).Distinct(StringComparer.Ordinal).ToList();
        Settle(settled, known, settings.TestClasses, "test_classes", SplitNames.Test, units);
        Settle(settled, known, settings.ValidationClasses, "validation_classes", SplitNames.Validation, units);
        var asked = selection.AskedSplits(units, settled, validationTrains: isOfficial);
        foreach (var (unit, split) in asked) settled[unit] = split;

        var classes = selection.Classes();
        if (isOfficial) return Official(layout!.Layout, units, classes, settled, asked, settings, options);
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

    private static SplitPlan Official(
        DatasetLayout layout, SplitUnits units, SortedDictionary<string, int> classes, Dictionary<string, string> settled, Dictionary<string, string> asked,
        DatasetSettings settings, IngestionOptions options)
    {
        var arriving = asked.Where(unit => unit.Value == SplitNames.Train).Select(unit => unit.Key).ToList();
        var assigned = settings.ValidationClasses.Count > 0
            ? settled
            : SplitAssigner.Validate(layout.Key, arriving, settled, settings.Validation ?? options.ValidationShare);
        // Classes that join later, from elsewhere, are divided in the same shares.
        var sizes = classes.Keys.Select(units.UnitOf).Distinct(StringComparer.Ordinal).Select(unit => assigned[unit]).CountBy(split => split).ToDictionary(StringComparer.Ordinal);
        double Share(string split) => Math.Round((double)sizes.GetValueOrDefault(split) / sizes.Values.Sum(), 4);
        var plan = new SplitPlan(
            new DatasetSplit(units.By, units.Reason, Share(SplitNames.Validation), Share(SplitNames.Test)),
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
