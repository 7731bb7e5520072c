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

    [Fact]
    public async Task What_waits_is_found_without_reading_the_jobs_that_are_done()
    {
        using var database = await folder.OpenDatabase();

        var plan = await database.Query<Step>($"explain query plan select id from jobs where {Jobs.Waiting}", new { kind = "train", now = 0 }, default);

        plan.ShouldHaveSingleItem().Detail.ShouldBe("SEARCH jobs USING INDEX jobs_waiting (kind=? AND state=?)");
    }

    [Theory]
    [InlineData("runs", "state = 'evaluated' and finished_at < 1")]
    [InlineData("drops", "state = 'settled' and created_at < 1")]
    public async Task What_is_owed_something_is_found_without_reading_all_that_ever_was(string table, string condition)
    {
        using var database = await folder.OpenDatabase();

        var plan = await database.Query<Step>($"explain query plan select * from {table} where {condition}", null, default);

        plan.ShouldHaveSingleItem().Detail.ShouldStartWith($"SEARCH {table} USING INDEX {table}_state (state=?");
    }

    private sealed record Step
    {
        public required string Detail { get; init; }
    }
}
