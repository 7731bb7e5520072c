using DmlPipeline.Storage;
using DmlPipeline.Training;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Tests.Pipeline.Workers;

public sealed class ScratchTests : IDisposable
{
    private readonly TemporaryHome temporary = new();

    public void Dispose() => temporary.Dispose();

    [Fact]
    public async Task Scratch_folders_of_ended_runs_are_deleted_and_those_of_others_stay()
    {
        Directory.CreateDirectory(temporary.Home.Path);
        using var database = await temporary.Home.OpenDatabase(default);
        var work = Path.Combine(temporary.Home.Path, "work");
        foreach (var name in new[] { "over", "over.2", "waiting", "unknown" }) Directory.CreateDirectory(Path.Combine(work, name, "checkpoints"));
        await database.Write(async transaction =>
        {
            foreach (var run in new[] { "over", "late", "waiting" }) await transaction.Enqueue(TrainingWorker.Kind, run);
            await transaction.Execute("update jobs set state = 'done' where subject in ('over', 'late')");
        }, default);
        // A worker that was frozen has it still.
        using var late = RunFolder.Open(temporary.Home.OpenStore(), "late", work, () => Task.FromResult(true));
        using var tidying = new ScratchTidying(database, Options.Create(new TrainingOptions { WorkFolder = work }), NullLogger<ScratchTidying>.Instance);

        await tidying.Tidy(default);

        Directory.GetDirectories(work).Select(Path.GetFileName).Order().ShouldBe(["late", "unknown", "waiting"]);
    }
}
