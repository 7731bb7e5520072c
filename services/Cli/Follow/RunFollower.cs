using System.Diagnostics;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts;
using DmlPipeline.Storage.State;
using DmlPipeline.Storage.Work;

namespace DmlPipeline.Cli.Follow;

/// <summary>Follows a run until its model is registered, or until it has failed or been cancelled.</summary>
internal sealed class RunFollower(OpenedHome home, LiveLine live)
{
    // Short epochs would flood the terminal: one line every few seconds is kept.
    private static readonly TimeSpan BetweenKeptLines = TimeSpan.FromSeconds(6);

    private readonly Stopwatch sinceKept = Stopwatch.StartNew();
    private TrainingProgressed? last;

    public async Task<RunRow> Follow(string runId, CancellationToken cancel)
    {
        while (true)
        {
            var run = await home.Database.Run(runId, cancel);
            if (run is { State: "registered" or "failed" or "cancelled" })
            {
                live.Clear();
                return run;
            }
            if (run is { State: "queued" }) live.Update($"training   queued: {await Why(runId, cancel)}");
            else Show(run);
            home.RequireRunning("train the run");
            await Task.Delay(Pace.Between, cancel);
        }
    }

    /// <summary>Waits for the pipeline's own decision whether to train on a dataset version.</summary>
    /// <returns>The run, or null and the reason against it.</returns>
    public async Task<(string? RunId, string Reason)> Decision(string dataset, int version, CancellationToken cancel)
    {
        while (true)
        {
            var decision = await home.Database.QueryOne<(string? RunId, string Reason)?>(
                "select run_id, reason from training_decisions where dataset = @dataset and version = @version and cause = 'new-data' and state = 'decided'", new { dataset, version }, cancel);
            if (decision is not null) return decision.Value;
            live.Update("training   waiting for the decision");
            home.RequireRunning("decide on training");
            await Task.Delay(Pace.Between, cancel);
        }
    }

    /// <summary>What it waits for; nothing can be said in the moment before its message has made a job of it.</summary>
    private async Task<string> Why(string runId, CancellationToken cancel) =>
        (await home.Database.Waiting("train", cancel)).FirstOrDefault(job => job.Subject == runId)?.Why ?? "about to start";

    private void Show(RunRow? run)
    {
        switch (run?.State)
        {
            case null:
                live.Update("training   queued");
                break;
            case "trained":
                KeepLast();
                live.Update("evaluating on the test split: classes that training never saw");
                break;
            case "evaluated":
                live.Update("registering");
                break;
            default:
                if (RunText.Progress(run) is { } progress) Show(progress);
                else live.Update("training   loading images");
                break;
        }
    }

    private void Show(TrainingProgressed progress)
    {
        if (last is not null && progress.Epoch > last.Epoch && sinceKept.Elapsed > BetweenKeptLines) KeepLast();
        last = progress;
        var left = progress.SecondsLeft is { } seconds ? $"  {Terminal.Show.Duration(TimeSpan.FromSeconds(seconds))} left" : "";
        live.Update($"training   {Terminal.Show.Bar(progress.Fraction)} {100 * progress.Fraction,3:0} %  {Describe(progress)}{left}");
    }

    private void KeepLast()
    {
        if (last is null) return;
        live.Keep($"training   {Describe(last)}");
        last = null;
        sinceKept.Restart();
    }

    private static string Describe(TrainingProgressed progress)
    {
        var recall = progress.ValidationRecallAt1 is { } value ? $"  recall@1 {Terminal.Show.Percent(value),6}" : "";
        return $"epoch {progress.Epoch,3}  loss {progress.Loss:0.000}{recall}  {Terminal.Show.Count((long)progress.ImagesPerSecond)} images/s";
    }
}
