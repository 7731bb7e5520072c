using Microsoft.Win32.SafeHandles;

namespace DmlPipeline.Ingestion;

internal static class TemporaryFile
{
    /// <summary>A file without a name: its room is free again when it is closed, also by the death of its process.</summary>
    public static FileStream Create(string folder)
    {
        var path = NewPath(folder);
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 17, FileOptions.Asynchronous);
        File.Delete(path);
        return file;
    }

    /// <inheritdoc cref="Create"/>
    public static SafeFileHandle CreateHandle(string folder)
    {
        var path = NewPath(folder);
        var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        File.Delete(path);
        return file;
    }

    private static string NewPath(string folder) => Path.Combine(folder, "dml-" + Guid.NewGuid().ToString("N"));
}
