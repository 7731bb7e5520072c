namespace DmlPipeline.Tests.Services.Storage;

/// <summary>Gives so many bytes and then fails, as a broken connection does.</summary>
internal sealed class BreakingStream(byte[] bytes, int after) : MemoryStream(bytes)
{
    public BreakingStream(int bytes)
        : this(new byte[bytes], bytes)
    {
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var left = (int)Math.Min(buffer.Length, after - Position);
        return left > 0 ? await base.ReadAsync(buffer[..left], cancellationToken) : throw new IOException("the connection broke");
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
        await goOn.Task.WaitAsync(cancellationToken);
        return 0;
    }
}

/// <summary>Neither tells its length nor goes back, as a network stream; gives little at a time.</summary>
internal sealed class OneWayStream(byte[] bytes) : MemoryStream(bytes)
{
    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        base.ReadAsync(buffer[..Math.Min(buffer.Length, 100_003)], cancellationToken);
}
