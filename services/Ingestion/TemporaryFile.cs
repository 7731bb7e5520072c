namespace DmlPipeline.Ingestion;

internal static class TemporaryFile
{
    /// <summary>A file that its closing deletes.</summary>
    public static FileStream Create(string folder) => new(
        Path.Combine(folder, "dml-" + Guid.NewGuid().ToString("N")), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 17,
        FileOptions.DeleteOnClose | FileOptions.Asynchronous);
}
