namespace DmlPipeline.Chaos.Rig;

/// <summary>The checkout that this was built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "DmlPipeline.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException($"{AppContext.BaseDirectory} lies in no checkout of DmlPipeline.");
    }
}
