using System.Globalization;
using System.Text.RegularExpressions;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion.Reading;

namespace DmlPipeline.Ingestion.Layouts;

/// <summary>
/// Market-1501 (Zheng et al. 2015): the folder tells what an image does, its name who it shows and by which camera, as in
/// <c>0002_c1s1_000451_03.jpg</c>. -1 is junk, which its protocol leaves out; 0 is a distractor, which is found and never right.
/// </summary>
internal static partial class Market1501
{
    private const string Train = "bounding_box_train", Gallery = "bounding_box_test", Query = "query";
    private const string Distractors = "distractors";

    // Boxes drawn by hand, for counting how many of a person there are; no part of the protocol.
    private const string HandDrawn = "gt_bbox";

    public static LayoutReading? Read(DropScan scan)
    {
        var reading = new LayoutReading();
        var folders = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (order, path) in scan.Images.Paths())
        {
            var folder = EntryPath.FileName(EntryPath.Folder(path));
            if (folder == HandDrawn) reading.LeftOut.Add(order);
            if (folder is not (Train or Gallery or Query) || Name().Match(EntryPath.FileName(path)) is not { Success: true } name) continue;
            var camera = int.Parse(name.Groups["camera"].ValueSpan, CultureInfo.InvariantCulture);
            folders.Add(folder);
            if (name.Groups["person"].Value == "-1") reading.LeftOut.Add(order);
            else reading.Entries[order] = folder switch
            {
                Train => new LayoutEntry(name.Groups["person"].Value, SplitNames.Train, Camera: camera),
                Query => new LayoutEntry(name.Groups["person"].Value, SplitNames.Test, RoleNames.Query, camera),
                _ => new LayoutEntry(name.Groups["person"].Value is "0000" ? Distractors : name.Groups["person"].Value, SplitNames.Test, RoleNames.Gallery, camera),
            };
        }
        return folders.Count == 3 ? reading : null;
    }

    [GeneratedRegex(@"\A(?<person>-1|\d{4})_c(?<camera>\d)s\d+_\d+_\d+\.jpe?g", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Name();
}
