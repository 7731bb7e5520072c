using DmlPipeline.Local;

namespace DmlPipeline.Tests.Pipeline;

/// <summary>A home of its own for a test, deleted afterwards.</summary>
public sealed class TemporaryHome : IDisposable
{
    public PipelineHome Home { get; } = new(Path.Combine(Path.GetTempPath(), "dml-test-" + Guid.NewGuid().ToString("N")[..8]));

    public string Inbox(string dataset) => Directory.CreateDirectory(Path.Combine(Home.StoreFolder, "inbox", dataset)).FullName;

    public void Dispose()
    {
        if (Directory.Exists(Home.Path)) Directory.Delete(Home.Path, recursive: true);
    }
}
