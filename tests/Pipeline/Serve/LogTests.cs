using DmlPipeline.Cli;
using DmlPipeline.Local;
using Microsoft.Extensions.Logging;

namespace DmlPipeline.Tests.Pipeline.Serve;

/// <summary>Whoever logs is at work: a log that cannot be written must not end it.</summary>
public sealed class LogTests
{
    // Linux has a disk that is always full.
    private const string FullDisk = "/dev/full";

    public static TheoryData<Exception> Failures =>
    [
        new IOException("No space left on device", hresult: 28),
        new ArgumentOutOfRangeException("value", "Specified file length was too large for the file system."), // .NET's word for EFBIG
    ];

    [Theory]
    [MemberData(nameof(Failures))]
    public void A_line_that_the_terminal_cannot_take_is_lost_and_nothing_else(Exception failure)
    {
        using var provider = new TerminalLog();
        var logger = provider.CreateLogger("DmlPipeline.Training.TrainingWorker");
        var before = Console.Error;
        Console.SetError(new FailingWriter(failure));
        try
        {
            logger.LogInformation("a job is done");
            logger.LogError(new InvalidOperationException("why"), "a job failed");
        }
        finally
        {
            Console.SetError(before);
        }
    }

    [Fact]
    public void A_log_file_on_a_full_disk_holds_up_nobody()
    {
        using var provider = new FileLog(FullDisk);
        var logger = provider.CreateLogger("DmlPipeline.Training.TrainingWorker");

        for (var i = 0; i < 3; i++) logger.LogError(new InvalidOperationException("why"), "a job failed");
    }

    [Fact]
    public void A_log_file_has_every_line_and_the_whole_error()
    {
        using var home = new TemporaryHome();
        var path = Path.Combine(home.Home.Path, "logs", "pipeline.log");
        using (var provider = new FileLog(path))
        {
            var logger = provider.CreateLogger("a.b");
            logger.LogInformation("first ä");
            logger.LogWarning(new InvalidOperationException("why"), "second");
        }

        var lines = File.ReadAllLines(path);
        lines.Length.ShouldBe(3);
        lines[0].ShouldEndWith("Information a.b: first ä");
        lines[1].ShouldEndWith("Warning a.b: second");
        lines[2].ShouldBe("System.InvalidOperationException: why");
    }

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task A_pipeline_runs_on_when_nobody_can_be_told_of_it(Exception failure)
    {
        using var home = new TemporaryHome();
        using var stop = new CancellationTokenSource();
        var up = CommandLine.Run(["up", "--quiet", "--no-training", "--port", "0", "--home", home.Home.Path], new FailingWriter(failure), new FailingWriter(failure), stop.Token);

        for (var i = 0; i < 600 && home.Home.Running() is null && !up.IsCompleted; i++) await Task.Delay(100);
        await Task.Delay(500);
        up.IsCompleted.ShouldBeFalse();
        await stop.CancelAsync();

        (await up).ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task A_result_that_cannot_be_written_is_a_failure(Exception failure) =>
        (await CommandLine.Run(["recipes", "--json"], new FailingWriter(failure), new FailingWriter(failure), CancellationToken.None)).ShouldBe(1);

    private sealed class FailingWriter(Exception failure) : StringWriter
    {
        public override void Write(char value) => throw failure;

        public override void Write(string? value) => throw failure;

        public override void WriteLine(string? value) => throw failure;
    }
}
