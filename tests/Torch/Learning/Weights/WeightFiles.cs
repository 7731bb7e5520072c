namespace DmlPipeline.Tests.Torch.Learning.Weights;

/// <summary>The files that make_weight_files.py has written.</summary>
internal static class WeightFiles
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Learning", "Weights", "Files");

    public static IEnumerable<string> Names => Directory.GetFiles(Folder, "*.pth").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);

    public static string PathOf(string name) => Path.Combine(Folder, name);
}
