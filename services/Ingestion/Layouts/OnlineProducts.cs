using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion.Reading;

namespace DmlPipeline.Ingestion.Layouts;

/// <summary>
/// Stanford Online Products (Song et al. 2016): <c>Ebay_train.txt</c> and <c>Ebay_test.txt</c> list image, class, super-class and path under a
/// line of headings. Classes are named after the super-class's folder, so that they can be told apart by people: <c>bicycle/5</c>.
/// </summary>
internal static class OnlineProducts
{
    public const string Train = "Ebay_train.txt", Test = "Ebay_test.txt";

    private const string FolderEnd = "_final";

    public static LayoutReading? Read(DropScan scan) =>
        AnnotationLines.Sets(scan, Train, Test).Select(files => Read(scan, files)).OfType<LayoutReading>().FirstOrDefault();

    private static LayoutReading? Read(DropScan scan, TextFile[] files)
    {
        var list = new ImageList(scan, files[0]);
        foreach (var (file, split) in files.Zip([SplitNames.Train, SplitNames.Test]))
        {
            foreach (var (line, words) in AnnotationLines.Of(file, 4))
            {
                if (words.Length == 4 && AnnotationLines.IsNumber(words[1], out var product) && AnnotationLines.IsNumber(words[0], out _))
                    list.Add(words[3], new LayoutEntry($"{Folder(words[3])}{product}", split));
                else if (line > 1) AnnotationLines.Refuse(list.Problems, scan, file, line, "it is not the numbers of image, class and super-class and a path");
            }
        }
        return list.Match();
    }

    private static string Folder(string path)
    {
        if (!path.Contains('/', StringComparison.Ordinal)) return "";
        var folder = EntryPath.FirstSegment(path);
        return (folder.EndsWith(FolderEnd, StringComparison.Ordinal) ? folder[..^FolderEnd.Length] : folder) + "/";
    }
}
