namespace DmlPipeline.Tests.Services.Storage;

/// <summary>Gives so many bytes and then fails, as a broken connection does.</summary>
internal sealed class BreakingStream(int bytes) : MemoryStream(new byte[bytes])
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await base.ReadAsync(buffer, cancellationToken);
        return read > 0 ? read : throw new IOException("the connection broke");
    }
}

/// <summary>Gives one byte and then waits until it may go on.</summary>
internal sealed class PausedStream : MemoryStream
{
    private readonly TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int reads;

    public Task Reached => reached.Task;

    public void GoOn() => goOn.SetResult();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (reads++ == 0) return 1;
        reached.TrySetResult();
        await goOn.Task;
        return 0;
    }
}
