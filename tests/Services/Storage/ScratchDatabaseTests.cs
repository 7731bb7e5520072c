using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Services.Storage;

public sealed class ScratchDatabaseTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Its_file_has_no_name_from_the_start()
    {
        using var scratch = Numbers(100_000);

        Directory.GetFileSystemEntries(folder.Path).ShouldBeEmpty();
        scratch.Query("select count(*) from numbers", row => row.GetInt32(0)).Single().ShouldBe(100_000);
    }

    [Fact]
    public void One_table_is_written_while_another_is_read_also_from_other_threads()
    {
        using var scratch = Numbers(20_000);
        scratch.Execute("create table squares (number integer primary key, square integer not null)");
        var square = scratch.Prepare("insert into squares values ($1, $2)");
        var known = scratch.Prepare("select text from numbers where number = $1");

        Parallel.ForEach(scratch.Query("select number from numbers order by text desc", row => row.GetInt64(0)), number =>
        {
            known.Value(number).ShouldBe($"number {number}");
            square.Run(number, number * number).ShouldBe(1);
        });

        scratch.Query("select sum(square) from squares", row => row.GetInt64(0)).Single().ShouldBe(Enumerable.Range(0, 20_000).Sum(number => (long)number * number));
        known.Value(20_000).ShouldBeNull();
    }

    [Fact]
    public void A_null_is_a_value_like_any_other()
    {
        using var scratch = Numbers(1);
        scratch.Prepare("insert into numbers values ($1, $2)").Run(1, null);

        scratch.Query("select text from numbers where number = $1", row => row.IsDBNull(0), 1).Single().ShouldBeTrue();
        scratch.Prepare("select text from numbers where number = $1").Value(1).ShouldBeNull();
    }

    private ScratchDatabase Numbers(int count)
    {
        var scratch = new ScratchDatabase(folder.Path);
        scratch.Execute("create table numbers (number integer primary key, text text)");
        var insert = scratch.Prepare("insert into numbers values ($1, $2)");
        for (var i = 0; i < count; i++) insert.Run(i, $"number {i}");
        return scratch;
    }
}
