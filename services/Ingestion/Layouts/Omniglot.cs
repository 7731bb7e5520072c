using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion.Reading;

namespace DmlPipeline.Ingestion.Layouts;

/// <summary>Omniglot (Lake et al. 2015): <c>images_background/alphabet/character/image</c> trains, <c>images_evaluation</c> tests, both having been dropped.</summary>
internal static class Omniglot
{
    private const string Background = "images_background", Evaluation = "images_evaluation";

    public static LayoutReading? Read(DropScan scan)
    {
        var reading = new LayoutReading();
        foreach (var (order, path) in scan.Images.Paths())
        {
            if (path.Split('/') is not [.., var set and (Background or Evaluation), var alphabet, var character, _]) continue;
            reading.Entries[order] = new LayoutEntry($"{alphabet}/{character}", set == Background ? SplitNames.Train : SplitNames.Test);
        }
        return reading.Entries.Values.Select(entry => entry.Split).Distinct(StringComparer.Ordinal).Count() == 2 ? reading : null;
    }
}
