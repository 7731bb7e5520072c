using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion.Reading;

namespace DmlPipeline.Ingestion.Layouts;

/// <summary>
/// DeepFashion's In-Shop Clothes Retrieval (Liu et al. 2016): <c>list_eval_partition.txt</c> has a count, a line of headings and lines of
/// path, item and train, query or gallery. Other parts of DeepFashion have a file of that name without items.
/// </summary>
internal static class InShop
{
    public const string Partition = "list_eval_partition.txt";

    public static LayoutReading? Read(DropScan scan) =>
        AnnotationLines.Sets(scan, Partition).Select(files => Read(scan, files[0])).OfType<LayoutReading>().FirstOrDefault();

    private static LayoutReading? Read(DropScan scan, TextFile file)
    {
        var list = new ImageList(scan, file);
        var headed = false;
        foreach (var (line, words) in AnnotationLines.Of(file, 3))
        {
            if (words is ["image_name", "item_id", "evaluation_status"]) headed = true;
            else if (!headed && line <= 2) continue;
            else if (!headed) return null;
            else if (words is [var path, var item, "train"]) list.Add(path, new LayoutEntry(item, SplitNames.Train));
            else if (words is [var looking, var wanted, RoleNames.Query or RoleNames.Gallery]) list.Add(looking, new LayoutEntry(wanted, SplitNames.Test, words[2]));
            else AnnotationLines.Refuse(list.Problems, scan, file, line, "it is not a path, an item and one of train, query and gallery");
        }
        return list.Match();
    }
}
