using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Recipes;
using TorchSharp;

namespace DmlPipeline.Learning.Regularisers;

/// <summary>One regulariser of the catalogue: what it is called, where it comes from, what can be set, and what it adds to the loss.</summary>
/// <param name="Name">As recipes write it.</param>
/// <param name="Paper">Authors, venue, arXiv number.</param>
/// <param name="Formula">On one line.</param>
/// <param name="Weight">What it is multiplied by, unless the recipe says otherwise, and why.</param>
public sealed record RegulariserEntry(string Name, string Paper, string Formula, (double Value, string Reason) Weight)
{
    /// <summary>What it adds for the features of a batch; null when it is of class weights.</summary>
    public Func<RegulariserSettings, LossInput, LossTerms>? OfFeatures { get; init; }

    /// <summary>What it adds for class weights [M · K, D] and K; null when it is of features.</summary>
    public Func<RegulariserSettings, torch.Tensor, int, LossTerms>? OfClassWeights { get; init; }

    /// <summary>Whether it looks at each image by itself, so that anchors can be worked off in chunks.</summary>
    public bool IsSumOverAnchors { get; init; } = true;

    /// <summary>Whether it needs several class weights of each class.</summary>
    public bool NeedsCentres { get; init; }

    /// <summary>Those that it has besides <c>weight</c>.</summary>
    public IReadOnlyList<LossOption> OwnOptions { get; init; } = [];

    /// <summary>The options, in the order of the documentation.</summary>
    public IReadOnlyList<LossOption> Options => [LossOption.Number("weight", Weight.Value, 0, 1e6, Weight.Reason), .. OwnOptions];
}

/// <summary>Every regulariser by the name that recipes give it.</summary>
public static class RegulariserCatalogue
{
    /// <summary>Those of features first, then those of class weights.</summary>
    public static IReadOnlyList<RegulariserEntry> All { get; } =
    [
        .. FeatureRegularisers.Entries,
        SpreadOut.Entry,
        .. PairRegularisers.Entries,
        .. ClassWeightRegularisers.Entries,
    ];

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(entry => entry.Name)];

    /// <summary>The regulariser of that name, or null.</summary>
    public static RegulariserEntry? Find(string name) => All.FirstOrDefault(entry => string.Equals(entry.Name, name, StringComparison.Ordinal));
}
