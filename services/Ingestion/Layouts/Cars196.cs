using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion.Layouts.Matlab;
using DmlPipeline.Ingestion.Reading;

namespace DmlPipeline.Ingestion.Layouts;

/// <summary>
/// Cars196 (Krause et al. 2013). <c>cars_annos.mat</c> has a struct array <c>annotations</c> (relative_im_path, class, bounding box) and a cell
/// <c>class_names</c>; the later edition has cars_train and cars_test with a file of annotations each (fname, class) and the names in
/// <c>cars_meta.mat</c>. The classification split of either plays no part: metric learning divides the classes in two halves.
/// </summary>
internal static class Cars196
{
    public const string All = "cars_annos.mat", Train = "cars_train_annos.mat", Test = "cars_test_annos_withlabels.mat", Meta = "cars_meta.mat";

    public static LayoutReading? Read(DropScan scan) =>
        Files(scan).Select(files => Read(scan, files.Names, files.Annotations)).OfType<LayoutReading>().FirstOrDefault();

    private static IEnumerable<(TextFile Names, (TextFile File, string Field, string Folder)[] Annotations)> Files(DropScan scan)
    {
        foreach (var set in AnnotationLines.Sets(scan, All))
            yield return (set[0], [(set[0], "relative_im_path", "")]);

        // The test's annotations are published apart from the others, so the three need not lie together.
        var later = new[] { Meta, Train, Test }.Select(name => scan.Annotations.FirstOrDefault(file => EntryPath.FileName(file.Path) == name)).OfType<TextFile>().ToArray();
        if (later.Length == 3) yield return (later[0], [(later[1], "fname", "cars_train/"), (later[2], "fname", "cars_test/")]);
    }

    private static LayoutReading? Read(DropScan scan, TextFile names, (TextFile File, string Field, string Folder)[] annotations)
    {
        var list = new ImageList(scan, annotations[0].File);
        // A '/' would make a folder of the first half of "Ram C/V Cargo Van".
        var classes = (Variable(names, "class_names") as MatValue.Cell)?.Items.Select(item => (item as MatValue.Text)?.Value.Replace('/', '-')).ToList() ?? [];
        if (classes.Count == 0 || classes.Contains(null)) throw new AnnotationException(names, "it has no cell 'class_names' of texts");
        foreach (var (file, field, folder) in annotations)
        {
            if (Variable(file, "annotations") is not MatValue.Struct cars || !cars.Fields.TryGetValue(field, out var paths) || !cars.Fields.TryGetValue("class", out var numbers))
                throw new AnnotationException(file, $"it has no struct array 'annotations' with the fields {field} and class");
            for (var car = 0; car < paths.Length; car++)
            {
                if (paths[car] is MatValue.Text path && numbers[car] is MatValue.Numbers { Values: [var number] } && number >= 1 && number <= classes.Count)
                    list.Add(folder + path.Value, new LayoutEntry(classes[(int)number - 1]!, number <= classes.Count / 2 ? SplitNames.Train : SplitNames.Test));
                else AnnotationLines.Refuse(list.Problems, scan, file, car + 1, "the annotation of that number has no path, or no class that class_names has");
            }
        }
        return list.Match();
    }

    private static MatValue? Variable(TextFile file, string name)
    {
        try
        {
            return MatFile.Read(file.Bytes).GetValueOrDefault(name);
        }
        catch (MatFormatException e)
        {
            throw new AnnotationException(file, e.Message);
        }
    }
}
