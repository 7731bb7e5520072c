using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Services;

/// <summary>A folder of one test's own, gone after it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("dmlpipeline-test-").FullName;

    public string DatabasePath => System.IO.Path.Combine(Path, "state.db");

    public Task<Database> OpenDatabase() => Database.Open(DatabasePath, default);

    public FolderStore OpenStore() => new(System.IO.Path.Combine(Path, "store"));

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
