using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion.Labels;
using DmlPipeline.Ingestion.Reading;
using DmlPipeline.Ingestion.Splits;

namespace DmlPipeline.Ingestion.Layouts;

/// <summary>The published datasets that are recognised.</summary>
internal static class LayoutCatalogue
{
    public const string Auto = "auto", None = "none";

    public static IReadOnlyList<DatasetLayout> All { get; } =
    [
        new("cub200", "CUB-200-2011", "the first half of the classes, 1 to 100, trains; the second half tests",
            "images.txt, image_class_labels.txt and classes.txt with the images that they list",
            [Cub200.Images, Cub200.Labels, Cub200.Classes], SplitUnits.ByClass, Cub200.Read),
        new("cars196", "Cars196", "the first half of the classes, 1 to 98, trains; the second half tests",
            "cars_annos.mat (or cars_train_annos.mat, cars_test_annos_withlabels.mat and cars_meta.mat) with the images that it lists",
            [Cars196.All, Cars196.Train, Cars196.Test, Cars196.Meta], SplitUnits.ByClass, Cars196.Read),
        new("sop", "Stanford Online Products", "the classes of Ebay_train.txt train, those of Ebay_test.txt test",
            "Ebay_train.txt and Ebay_test.txt with the images that they list",
            [OnlineProducts.Train, OnlineProducts.Test], SplitUnits.ByClass, OnlineProducts.Read),
        new("inshop", "In-Shop Clothes Retrieval", "the items marked train train; those marked query look for those marked gallery",
            "list_eval_partition.txt with the images that it lists",
            [InShop.Partition], SplitUnits.ByClass, InShop.Read),
        new("market1501", "Market-1501", "bounding_box_train trains; query looks through bounding_box_test, not for images of its own camera",
            "bounding_box_train, bounding_box_test and query with images named like 0002_c1s1_000451_03.jpg",
            [], SplitUnits.ByClass, Market1501.Read),
        new("omniglot", "Omniglot", "the alphabets of images_background train, those of images_evaluation test",
            "images_background and images_evaluation with alphabet/character/image inside",
            [], SplitUnits.ByFirstFolder, Omniglot.Read),
    ];

    /// <summary>What dataset.yaml may say under <c>layout</c>.</summary>
    public static string[] Options { get; } = [Auto, None, .. All.Select(layout => layout.Key)];

    /// <summary>Whether a file's name is that of an annotation, which is kept until it is known whether the drop has its layout.</summary>
    public static bool IsAnnotation(string fileName) => All.Any(layout => layout.Annotations.Contains(fileName, StringComparer.Ordinal));

    /// <summary>The layout of a drop. A label file says itself what its images are, so beside one a layout has to be asked for.</summary>
    /// <param name="problems">Receives annotations that cannot be read; without them the drop is taken as if it had none.</param>
    /// <returns>Null for class folders and label files.</returns>
    /// <exception cref="DropRejectedException">The layout that is asked for is not there.</exception>
    public static RecognisedLayout? Recognise(DropScan scan, DatasetSettings settings, DatasetManifest? parent, List<Refusal> problems)
    {
        if (settings.Layout == None) return null;
        var asked = All.FirstOrDefault(layout => layout.Key == settings.Layout);
        if (asked is null && scan.LabelFiles.Count > 0) return null;
        foreach (var layout in asked is null ? All : [asked])
            if (Read(layout, scan, problems) is { } reading) return new RecognisedLayout(layout, reading, IsOfficial(layout, settings, parent));
        return asked is null ? null : throw new DropRejectedException(
            $"dataset.yaml says layout: {asked.Key}, and not all of it is there: {asked.Title} is {asked.Needs}", needsMore: true);
    }

    private static LayoutReading? Read(DatasetLayout layout, DropScan scan, List<Refusal> problems)
    {
        try
        {
            return layout.Read(scan);
        }
        catch (AnnotationException e)
        {
            problems.Add(new Refusal(e.File.Order, scan.NameOf(e.File.Scope, e.File.Path), $"these annotations of {layout.Title} cannot be read: {e.Message}", Bytes: e.File.Bytes.Length));
            return null;
        }
    }

    // Whoever divides the classes otherwise wants another split; and classes of a dataset that was divided otherwise never move.
    private static bool IsOfficial(DatasetLayout layout, DatasetSettings settings, DatasetManifest? parent) =>
        settings is { SplitBy: null or "auto", Test: null, TestClasses.Count: 0 } && (parent is null || parent.Layout == layout.Key);
}

/// <summary>A layout that a drop has.</summary>
/// <param name="IsOfficial">Whether its official split is taken; if not, it only says what the images are.</param>
internal sealed record RecognisedLayout(DatasetLayout Layout, LayoutReading Reading, bool IsOfficial);
