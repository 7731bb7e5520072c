using DmlPipeline.Learning.Recipes;
using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Every loss by the name that recipes give it. A new loss is a file with an entry, and a line here.</summary>
public static class LossCatalogue
{
    /// <summary>In the order of the documentation: founding losses, pairs and triplets, class weights.</summary>
    public static IReadOnlyList<LossEntry> All { get; } =
    [
        IceLoss.Entry,
        CircleLoss.Entry,
        CircleClassLoss.Entry,
        .. SoftmaxLoss.Entries,
        .. ContrastiveLoss.Entries,
        TripletLoss.Entry,
        SelectivelyContrastiveLoss.Entry,
        DynamicSoftMarginLoss.Entry,
        NPairsLoss.Entry,
        LiftedStructureLoss.Entry,
        GeneralisedLiftedStructureLoss.Entry,
        MultiSimilarityLoss.Entry,
        SupConLoss.Entry,
        .. NtXentLoss.Entries,
        NcaLoss.Entry,
        TupletMarginLoss.Entry,
        AngularLoss.Entry,
        MarginLoss.Entry,
        HardNetLoss.Entry,
        HistogramLoss.Entry,
        RankedListLoss.Entry,
        FastApLoss.Entry,
        SmoothApLoss.Entry,
        RecallSurrogateLoss.Entry,
        PnpLoss.Entry,
        CascadeLoss.Entry,
        FacilityLocationLoss.Entry,
        SpectralClusteringLoss.Entry,
        VicRegLoss.Entry,
        .. MarginSoftmaxLoss.Entries,
        CentreLoss.Entry,
        ProxyNcaLoss.Entry,
        ProxyAnchorLoss.Entry,
        SoftTripleLoss.Entry,
        P2sGradLoss.Entry,
        ManifoldLoss.Entry,
    ];

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(entry => entry.Name)];

    /// <summary>The loss of that name, or null.</summary>
    public static LossEntry? Find(string name) => All.FirstOrDefault(entry => string.Equals(entry.Name, name, StringComparison.Ordinal));

    /// <summary>Makes the loss for the training classes, with so many images each, and embedding size D, its class weights on the device.</summary>
    public static MetricLoss Create(LossSettings settings, IReadOnlyList<int> imagesOfClass, int dimensions, torch.Device device) =>
        settings.Entry.Make(new LossContext(settings, imagesOfClass.Count, dimensions, device) { ImagesOfClass = imagesOfClass });

    /// <summary>Makes the loss for the given number of training classes, all of as many images, and embedding size D, its class weights on the device.</summary>
    public static MetricLoss Create(LossSettings settings, int classes, int dimensions, torch.Device device) =>
        settings.Entry.Make(new LossContext(settings, classes, dimensions, device));
}
