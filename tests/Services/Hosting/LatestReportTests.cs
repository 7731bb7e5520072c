using System.Collections.Concurrent;
using DmlPipeline.Hosting;

namespace DmlPipeline.Tests.Services.Hosting;

public class LatestReportTests
{
    private readonly ConcurrentQueue<string> sent = new();

    [Fact]
    public async Task The_last_report_always_arrives()
    {
        await using (var reports = new LatestReport<string>(Send))
            for (var i = 0; i <= 1000; i++) reports.Report($"{i}");

        sent.Last().ShouldBe("1000");
        sent.Count.ShouldBeLessThan(1000);
    }

    [Fact]
    public async Task Without_a_report_nothing_is_sent()
    {
        await using (new LatestReport<string>(Send)) await Task.Yield();

        sent.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_report_is_sent_once()
    {
        await using (var reports = new LatestReport<string>(Send))
        {
            reports.Report("only");
            await Eventually.Holds(() => !sent.IsEmpty, "the report was sent");
        }

        sent.ShouldBe(["only"]);
    }

    [Fact]
    public async Task A_slow_receiver_holds_nobody_up_and_gets_the_newest()
    {
        var slow = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (var reports = new LatestReport<string>(async report =>
        {
            await Send(report);
            await slow.Task;
        }))
        {
            reports.Report("first");
            await Eventually.Holds(() => !sent.IsEmpty, "the receiver has begun");
            // The receiver goes on only after all of these: if one of them waited for it, the test would stand still.
            for (var i = 0; i <= 1000; i++) reports.Report($"{i}");
            slow.SetResult();
        }

        sent.ShouldBe(["first", "1000"]);
    }

    [Fact]
    public async Task A_receiver_that_fails_ends_nothing_and_is_tried_again()
    {
        var attempts = 0;
        await using (var reports = new LatestReport<string>(report => ++attempts == 1 ? throw new IOException("busy") : Send(report)))
        {
            reports.Report("a");
            await Eventually.Holds(() => sent.Contains("a"), "the report was sent again");
            reports.Report("b");
        }

        sent.ShouldBe(["a", "b"]);
    }

    [Fact]
    public async Task A_receiver_that_always_fails_does_not_fail_the_work()
    {
        var attempts = 0;
        await using (var reports = new LatestReport<string>(_ =>
        {
            attempts++;
            throw new IOException("gone");
        })) reports.Report("a");

        attempts.ShouldBe(1);
    }

    private Task Send(string report)
    {
        sent.Enqueue(report);
        return Task.CompletedTask;
    }
}
