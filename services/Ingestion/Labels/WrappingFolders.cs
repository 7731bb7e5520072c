using DmlPipeline.Contracts.Datasets;

namespace DmlPipeline.Ingestion.Labels;

/// <summary>
/// Finds the folders around an archive's class folders (<c>images/</c>, <c>omniglot-background/</c>), which are left out of class names.
/// A folder counts as one only when every archive of the drop lies inside it and at least two different folders remain; and never when
/// that would make names shallower than the parent version's, where <c>Korean/character01</c> must not become <c>character01</c>.
/// </summary>
internal sealed class WrappingFolders
{
    private string last = "";
    private string[]? first;
    private bool several;
    private int shared;
    private int shallowest;

    /// <param name="folder">Of an image in an archive; none when it is empty.</param>
    public void Add(string folder)
    {
        if (folder == last) return;
        last = folder;
        if (folder.Length == 0) return;
        var parts = folder.Split('/');
        if (first is null)
        {
            (first, shared, shallowest) = (parts, parts.Length, parts.Length);
            return;
        }
        shallowest = Math.Min(shallowest, parts.Length);
        shared = Math.Min(shared, first.Zip(parts).TakeWhile(pair => pair.First == pair.Second).Count());
        several |= shared < first.Length || parts.Length > first.Length;
    }

    public int Count(DatasetManifest? parent)
    {
        if (!several) return 0;
        var deepest = parent is { Classes.Count: > 0 } ? shallowest - parent.Classes.Min(c => c.Name.Count(ch => ch == '/') + 1) : int.MaxValue;
        return Math.Max(0, Math.Min(Math.Min(shared, shallowest - 1), deepest));
    }
}
