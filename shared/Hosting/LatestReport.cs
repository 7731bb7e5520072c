namespace DmlPipeline.Hosting;

/// <summary>
/// Carries progress from a busy thread to somewhere slow. Only the newest report counts: the thread never waits, and what comes in
/// between is dropped. The last one always arrives, before disposal ends.
/// </summary>
public sealed class LatestReport<T> : IAsyncDisposable where T : class
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(400);

    private readonly Func<T, Task> send;
    private readonly CancellationTokenSource ended = new();
    private readonly Task sending;
    private T? newest;

    public LatestReport(Func<T, Task> send)
    {
        this.send = send;
        sending = SendAll();
    }

    public void Report(T progress) => Volatile.Write(ref newest, progress);

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await sending;
        ended.Dispose();
    }

    private async Task SendAll()
    {
        T? sent = null;
        for (var last = false; !last;)
        {
            await Task.Delay(Interval, ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            last = ended.IsCancellationRequested;
            var progress = Volatile.Read(ref newest);
            if (progress is null || ReferenceEquals(progress, sent)) continue;
            try
            {
                await send(progress);
                sent = progress;
            }
            catch (Exception)
            {
                // Progress must not end the work that it tells of. What stands in its way stands in the way of the work's own
                // writes too, and those report it; here it is sent again at the next interval.
                sent = null;
            }
        }
    }
}
