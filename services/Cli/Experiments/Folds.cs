using System.Security.Cryptography;
using System.Text;
using DmlPipeline.Contracts.Datasets;

namespace DmlPipeline.Cli.Experiments;

/// <summary>
/// The training and validation classes of a dataset in equal parts, so that each can validate what the others train. Classes of one split unit (such as an
/// alphabet) stay together where there are units enough. The test classes are in none.
/// </summary>
internal sealed class Folds
{
    private readonly Dictionary<string, int> foldOfClass;

    private Folds(Dictionary<string, int> foldOfClass, int count) => (this.foldOfClass, Count) = (foldOfClass, count);

    public int Count { get; }

    public int FoldOf(string className) => foldOfClass[className];

    public int ClassesOf(int fold) => foldOfClass.Values.Count(value => value == fold);

    /// <summary>The same for the same dataset and seed: units in an order that their hashes decide go to whichever part has the fewest images so far.</summary>
    public static Folds Of(DatasetManifest manifest, int count, long seed)
    {
        var classes = manifest.Classes.Where(c => c.Split is SplitNames.Train or SplitNames.Validation).ToList();
        if (count < 2 || classes.Count < 2 * count)
        {
            throw new CliException(
                $"{manifest.Dataset} v{manifest.Version} has {classes.Count} training classes: {count} folds of at least 2 need {Math.Max(4, 2 * count)}. Drop more classes, or ask for fewer --folds.");
        }
        var units = classes.GroupBy(c => c.Unit, StringComparer.Ordinal).ToList();
        if (units.Count < 2 * count) units = [.. classes.GroupBy(c => c.Name, StringComparer.Ordinal)];
        var images = new long[count];
        var assigned = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var unit in units.OrderBy(unit => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}/{unit.Key}"))), StringComparer.Ordinal))
        {
            var fold = Array.IndexOf(images, images.Min());
            foreach (var member in unit)
            {
                assigned[member.Name] = fold;
                images[fold] += member.Images;
            }
        }
        return new Folds(assigned, count);
    }
}
