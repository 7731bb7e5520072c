using System.Diagnostics;
using System.IO.Compression;
using DmlPipeline.Local;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using DmlPipeline.Tests.Services.Ingestion;

namespace DmlPipeline.Tests.Pipeline.Workers;

/// <summary>A pipeline in a process that the kernel lets write no long file, as on a disk that is full.</summary>
public sealed class FullDiskTests : IDisposable
{
    private const int MostKilobytes = 6_000;

    private readonly TemporaryHome temporary = new();

    public void Dispose() => temporary.Dispose();

    [Fact]
    public async Task A_drop_that_does_not_fit_waits_and_says_so_leaves_nothing_half_written_and_is_built_when_there_is_room()
    {
        await using (var file = File.Create(Path.Combine(temporary.Inbox("birds"), "birds.zip")))
        using (var archive = new ZipArchive(file, ZipArchiveMode.Create))
            foreach (var (path, bytes) in TestImages.Classes(classes: 4, imagesEach: 10, side: 512))
                await using (var entry = await archive.CreateEntry(path, CompressionLevel.NoCompression).OpenAsync()) await entry.WriteAsync(bytes);
        using var database = await temporary.Home.OpenDatabase(default);

        using (var cramped = StartCramped())
        {
            await Until(async () => await Error(database) is not null, cramped);
            cramped.Kill();
            await cramped.WaitForExitAsync();
        }

        (await Error(database)).ShouldNotBeNull().ShouldMatch("^there is no room left: .*too large for the file system.* Free some; it goes on by itself$");
        var store = temporary.Home.OpenStore();
        await foreach (var item in store.List("datasets/", default)) item.Key.ShouldBeNull("nothing of a dataset is seen");
        Directory.EnumerateFiles(temporary.Home.StoreFolder, FolderStore.PartialPrefix + "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
            .ShouldBeEmpty();
        await database.Write(transaction => transaction.Execute("update jobs set not_before = 0"), default);

        await using var roomy = await LocalPipeline.Start(
            new LocalSettings(temporary.Home) { Port = 0, Training = training => training.OnNewData = false, Inbox = inbox => inbox.SettleSeconds = 1 }, default);
        await Until(async () => (await database.Drops("birds", default)).SingleOrDefault()?.State == "ready", process: null);
        (await database.DatasetVersions("birds", default)).ShouldHaveSingleItem().Manifest.Counts.Images.ShouldBe(40);
    }

    private Process StartCramped()
    {
        // The signal that would come with the error is ignored, as a disk that is full sends none. Memory that the runtime maps as a file counts as one.
        var start = new ProcessStartInfo("bash", ["-c", "trap '' XFSZ; ulimit -f \"$1\"; shift; exec dotnet \"$@\"", "cramped", $"{MostKilobytes}", Path.Combine(AppContext.BaseDirectory, "dml.dll"), "up", "--home", temporary.Home.Path])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
        };
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => said = line.Data ?? said;
        process.ErrorDataReceived += (_, line) => said = line.Data ?? said;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private string said = "";

    private static Task<string?> Error(Database database) => database.QueryOne<string>("select error from jobs where kind = 'prepare'", null, default);

    private async Task Until(Func<Task<bool>> holds, Process? process)
    {
        for (var deadline = DateTime.UtcNow.AddMinutes(3); !await holds(); await Task.Delay(100))
            if (DateTime.UtcNow > deadline || process is { HasExited: true }) throw new TimeoutException($"It did not come to that. The process said last: {said}");
    }
}
