using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion.Reading;

namespace DmlPipeline.Ingestion.Layouts;

/// <summary>
/// CUB-200-2011 (Wah et al. 2011): <c>images.txt</c> numbers the images, <c>image_class_labels.txt</c> gives each number its class,
/// <c>classes.txt</c> names the classes. Bounding boxes, parts and the classification split of <c>train_test_split.txt</c> play no part
/// in metric learning, whose papers take whole images and divide the classes in two halves.
/// </summary>
internal static class Cub200
{
    public const string Images = "images.txt", Labels = "image_class_labels.txt", Classes = "classes.txt";

    public static LayoutReading? Read(DropScan scan) =>
        AnnotationLines.Sets(scan, Images, Labels, Classes).Select(files => Read(scan, files[0], files[1], files[2])).OfType<LayoutReading>().FirstOrDefault();

    private static LayoutReading? Read(DropScan scan, TextFile images, TextFile labels, TextFile classes)
    {
        var list = new ImageList(scan, images);
        var names = Numbered(scan, classes, list.Problems);
        var classOf = new Dictionary<int, int>();
        foreach (var (line, words) in AnnotationLines.Of(labels, 2))
        {
            if (words.Length == 2 && AnnotationLines.IsNumber(words[0], out var image) && AnnotationLines.IsNumber(words[1], out var label) && names.ContainsKey(label)) classOf[image] = label;
            else AnnotationLines.Refuse(list.Problems, scan, labels, line, "it is not the number of an image and the number of a class in classes.txt");
        }
        var half = names.Keys.Order().Skip((names.Count - 1) / 2).FirstOrDefault();
        foreach (var (number, path) in Numbered(scan, images, list.Problems))
            if (classOf.TryGetValue(number, out var label)) list.Add(path, new LayoutEntry(names[label], label <= half ? SplitNames.Train : SplitNames.Test));
        return list.Match();
    }

    private static Dictionary<int, string> Numbered(DropScan scan, TextFile file, List<Refusal> problems)
    {
        var texts = new Dictionary<int, string>();
        foreach (var (line, words) in AnnotationLines.Of(file, 2))
        {
            if (words.Length == 2 && AnnotationLines.IsNumber(words[0], out var number)) texts[number] = words[1];
            else AnnotationLines.Refuse(problems, scan, file, line, "it is not a number and a name");
        }
        return texts;
    }
}
