using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion.Labels;
using DmlPipeline.Ingestion.Reading;

namespace DmlPipeline.Ingestion.Splits;

/// <summary>
/// Which of a drop's labelled images enter the version: each content once, under one label, in a class of enough images whose split is
/// not contradicted.
/// </summary>
internal sealed class ImageSelection
{
    private readonly LabelledImages labelled;
    private readonly LabelledImages images;
    private readonly ParentVersion? parent;
    private readonly RefusalTable refusals;
    private readonly int minPerClass;
    private readonly Dictionary<(string Class, string? Split), int> counts = [];

    /// <param name="labelled">All of the drop.</param>
    /// <param name="images">Receives those that enter.</param>
    /// <param name="parent">The version that is to grow; or null.</param>
    /// <param name="refusals">Receives what is kept out.</param>
    /// <param name="minPerClass">Images that a class needs.</param>
    public ImageSelection(LabelledImages labelled, LabelledImages images, ParentVersion? parent, RefusalTable refusals, int minPerClass)
    {
        (this.labelled, this.images, this.parent, this.refusals, this.minPerClass) = (labelled, images, parent, refusals, minPerClass);
        Copies? copies = null;
        foreach (var (image, known) in labelled.ByContent())
        {
            if (known is not null) LeaveKnown(image, known);
            else if (copies is not null && copies.First.Content.Digest == image.Content.Digest) copies.Add(image);
            else
            {
                if (copies is not null) TakeOnce(copies);
                copies = new Copies(image);
            }
        }
        if (copies is not null) TakeOnce(copies);
        refusals.AddRange(labelled.Marked().Select(copy => new Refusal(copy.Image.Order, copy.Image.Name, copy.Why, copy.Image.Content, copy.Image.Class, Sound: true)));
        DropSmallClasses();
    }

    /// <summary>New images by their hashes: independent of how they were packed, and as good as shuffled for readers that stream them.</summary>
    public IEnumerable<LabelledImage> Images => images.All();

    /// <summary>New images in the order of the drop.</summary>
    public IEnumerable<LabelledImage> InOrder => images.InOrder();

    public int Count => counts.Values.Sum();

    public int Duplicates { get; private set; }

    /// <summary>Classes of the version: the parent's and the new ones, with their numbers of images.</summary>
    public SortedDictionary<string, int> Classes()
    {
        var classes = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var known in parent?.Manifest.Classes ?? []) classes[known.Name] = known.Images;
        foreach (var ((name, _), added) in counts) classes[name] = classes.GetValueOrDefault(name) + added;
        return classes;
    }

    /// <summary>
    /// The split that label files or a layout ask for, by unit; rows that contradict each other or <paramref name="settled"/> are refused.
    /// </summary>
    /// <param name="validationTrains">Papers know no validation: to ask for train is no contradiction where validation is settled.</param>
    public Dictionary<string, string> AskedSplits(SplitUnits units, IReadOnlyDictionary<string, string> settled, bool validationTrains)
    {
        var asked = new Dictionary<string, string>(StringComparer.Ordinal);
        var wrong = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var unit in counts.Keys.Where(count => count.Split is not null).GroupBy(count => units.UnitOf(count.Class), StringComparer.Ordinal))
        {
            var splits = unit.Select(count => count.Split!).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
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
            foreach (var (name, _) in unit) wrong[name] = reason;
        }
        Refuse(wrong, onlyAsked: true);
        DropSmallClasses();
        return asked;
    }

    /// <summary>Files of one content.</summary>
    private sealed class Copies(LabelledImage first)
    {
        public LabelledImage First => first;

        public int Count { get; private set; } = 1;

        /// <summary>Null while they have one label.</summary>
        public SortedSet<string>? Labels { get; private set; }

        public bool ShareRole { get; private set; } = true;

        public void Add(LabelledImage copy)
        {
            Count++;
            if (Labels is not null || copy.Class != first.Class) (Labels ??= new SortedSet<string>(StringComparer.Ordinal) { first.Class }).Add(copy.Class);
            ShareRole &= copy.Role == first.Role;
        }
    }

    private void LeaveKnown(LabelledImage image, string known)
    {
        if (image.Class == known) Duplicates++;
        else refusals.Add(new Refusal(
            image.Order, image.Name, $"the same image is already in version {parent!.Manifest.Version} under the label '{EntryPath.Display(known)}', which stays",
            image.Content, image.Class));
    }

    private void TakeOnce(Copies copies)
    {
        if (copies.Labels is { } labels)
        {
            // Nobody here can tell which label is right, so no copy is taken.
            labelled.Mark(copies.First.Content.Digest, $"the same image was dropped under the labels {string.Join(" and ", labels.Take(4).Select(l => $"'{EntryPath.Display(l)}'"))}: keep one");
            return;
        }
        // The same picture as query and as gallery is one image that is both.
        var image = copies.ShareRole ? copies.First : copies.First with { Role = null };
        images.Add(image);
        counts[(image.Class, image.Split)] = counts.GetValueOrDefault((image.Class, image.Split)) + 1;
        Duplicates += copies.Count - 1;
    }

    private void DropSmallClasses()
    {
        var reason = $"a class needs at least {minPerClass} images and this one has fewer: drop this image again together with more of its class (it is kept here until then)";
        Refuse(Classes().Where(c => c.Value < minPerClass).ToDictionary(c => c.Key, _ => reason, StringComparer.Ordinal), onlyAsked: false);
    }

    /// <param name="reasons">Why, by class.</param>
    private void Refuse(Dictionary<string, string> reasons, bool onlyAsked)
    {
        if (reasons.Count == 0) return;
        images.Remove(reasons.Keys, onlyAsked, i => refusals.Add(new Refusal(i.Order, i.Name, reasons[i.Class], i.Content, i.Class, Sound: true)));
        foreach (var gone in counts.Keys.Where(count => reasons.ContainsKey(count.Class) && !(onlyAsked && count.Split is null)).ToList()) counts.Remove(gone);
    }
}
