using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion.Labels;
using DmlPipeline.Ingestion.Reading;

namespace DmlPipeline.Ingestion.Splits;

/// <summary>
/// Which of a drop's labelled images enter the version: each content once, under one label, in a class of enough images whose split is
/// not contradicted. Pure; what is kept out is told in <see cref="Refusals"/>.
/// </summary>
internal sealed class ImageSelection
{
    private readonly ParentVersion? parent;
    private readonly int minPerClass;

    public ImageSelection(IReadOnlyList<LabelledImage> labelled, ParentVersion? parent, int minPerClass)
    {
        this.parent = parent;
        this.minPerClass = minPerClass;
        // Sorted, equal contents lie side by side: of a million images that takes a fraction of what groups of them would.
        LabelledImage[] byContent = [.. labelled];
        Array.Sort(byContent, (a, b) => Digest.Compare(a.Content.Digest, b.Content.Digest) is var order and not 0 ? order : a.Order.CompareTo(b.Order));
        for (int start = 0, end; start < byContent.Length; start = end)
        {
            for (end = start + 1; end < byContent.Length && byContent[end].Content.Digest == byContent[start].Content.Digest; end++)
            {
            }
            TakeOnce(new ArraySegment<LabelledImage>(byContent, start, end - start));
        }
        Images.Sort((a, b) => a.Order.CompareTo(b.Order));
        Refusals.Sort((a, b) => a.Order.CompareTo(b.Order));
        DropSmallClasses();
    }

    /// <summary>New images, in the order of the drop.</summary>
    public List<LabelledImage> Images { get; private set; } = [];

    public List<Refusal> Refusals { get; } = [];

    public int Duplicates { get; private set; }

    /// <summary>Classes of the version: the parent's and the new ones, with their numbers of images.</summary>
    public SortedDictionary<string, int> Classes()
    {
        var classes = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var known in parent?.Manifest.Classes ?? []) classes[known.Name] = known.Images;
        foreach (var (name, images) in Images.CountBy(image => image.Class, StringComparer.Ordinal)) classes[name] = classes.GetValueOrDefault(name) + images;
        return classes;
    }

    /// <summary>
    /// The split that label files or a layout ask for, by unit; rows that contradict each other or <paramref name="settled"/> are refused.
    /// </summary>
    /// <param name="validationTrains">Papers know no validation: to ask for train is no contradiction where validation is settled.</param>
    public Dictionary<string, string> AskedSplits(SplitUnits units, IReadOnlyDictionary<string, string> settled, bool validationTrains)
    {
        var asked = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var unit in Images.Where(i => i.Split is not null).GroupBy(i => units.UnitOf(i.Class)).ToList())
        {
            var splits = unit.Select(i => i.Split!).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
            var before = settled.GetValueOrDefault(unit.Key);
            if (validationTrains && splits is [SplitNames.Train] && before == SplitNames.Validation) continue;
            if (splits.Count == 1 && (before ?? splits[0]) == splits[0])
            {
                asked[unit.Key] = splits[0];
                continue;
            }
            var reason = splits.Count > 1
                ? $"the rows of '{EntryPath.Display(unit.Key)}' ask for the splits {string.Join(" and ", splits)}; all images of a class belong to one"
                : $"its row asks for the split {splits[0]}, but '{EntryPath.Display(unit.Key)}' belongs to {before} and classes never move";
            Refuse(i => i.Split is not null && units.UnitOf(i.Class) == unit.Key, reason);
        }
        DropSmallClasses();
        return asked;
    }

    private void TakeOnce(ArraySegment<LabelledImage> copies)
    {
        if (parent?.ClassOf(copies[0].Content.Digest) is { } known)
        {
            foreach (var copy in copies)
            {
                if (copy.Class == known) Duplicates++;
                else Refusals.Add(new Refusal(
                    copy.Order, copy.Name, $"the same image is already in version {parent.Manifest.Version} under the label '{EntryPath.Display(known)}', which stays",
                    copy.Content, copy.Class));
            }
            return;
        }
        if (copies.Count == 1)
        {
            Images.Add(copies[0]);
            return;
        }
        var labels = copies.Select(c => c.Class).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (labels.Count == 1)
        {
            // The same picture as query and as gallery is one image that is both.
            Images.Add(copies.All(copy => copy.Role == copies[0].Role) ? copies[0] : copies[0] with { Role = null });
            Duplicates += copies.Count - 1;
            return;
        }
        // Nobody here can tell which label is right, so no copy is taken.
        var reason = $"the same image was dropped under the labels {string.Join(" and ", labels.Take(4).Select(l => $"'{EntryPath.Display(l)}'"))}: keep one";
        foreach (var copy in copies) Refusals.Add(new Refusal(copy.Order, copy.Name, reason, copy.Content, copy.Class, Sound: true));
    }

    private void DropSmallClasses()
    {
        var small = Classes().Where(c => c.Value < minPerClass).Select(c => c.Key).ToHashSet(StringComparer.Ordinal);
        Refuse(
            image => small.Contains(image.Class),
            $"a class needs at least {minPerClass} images and this one has fewer: drop this image again together with more of its class (it is kept here until then)");
    }

    private void Refuse(Func<LabelledImage, bool> unwanted, string reason)
    {
        Refusals.AddRange(Images.Where(unwanted).Select(i => new Refusal(i.Order, i.Name, reason, i.Content, i.Class, Sound: true)));
        Images = [.. Images.Where(i => !unwanted(i))];
    }
}
