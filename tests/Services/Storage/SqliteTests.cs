using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Services.Storage;

public sealed class SqliteTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task The_file_keeps_readers_and_writers_apart()
    {
        using var database = await folder.OpenDatabase();

        (await database.QueryOne<string>("pragma journal_mode", null, default)).ShouldBe("wal");
    }
}
