using System.Net;
using System.Net.Sockets;

namespace DmlPipeline.Tests.Services.Servers;

/// <summary>Stands before a server on this machine, counts what passes, and fails on demand.</summary>
internal sealed class UnreliableNetwork : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly Uri server;
    private readonly CancellationTokenSource ended = new();
    private readonly Task accepting;
    private long sent;
    private long received;
    private int connections;

    public UnreliableNetwork(Uri server)
    {
        this.server = server;
        listener.Start();
        accepting = Accept();
    }

    public Uri Endpoint => new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

    /// <summary>Bytes that went to the server, and those that came from it.</summary>
    public (long Sent, long Received) Passed => (Interlocked.Read(ref sent), Interlocked.Read(ref received));

    public int Connections => Volatile.Read(ref connections);

    /// <summary>Connections are closed as soon as they are made.</summary>
    public volatile bool Down;

    /// <summary>How many more answers are lost: the server has done what it was asked, and nobody hears of it.</summary>
    public volatile int AnswersToLose;

    /// <summary>A connection is cut when so many bytes have come from the server on it.</summary>
    public long CutAfter { get; set; } = long.MaxValue;

    /// <summary>One connection falls silent, without being closed, when so many bytes have come from the server on it.</summary>
    public long SilentAfter { get; set; } = long.MaxValue;

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        listener.Stop();
        await accepting;
        ended.Dispose();
    }

    private async Task Accept()
    {
        while (!ended.IsCancellationRequested)
        {
            try
            {
                _ = Serve(await listener.AcceptTcpClientAsync(ended.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                return;
            }
        }
    }

    private async Task Serve(TcpClient client)
    {
        Interlocked.Increment(ref connections);
        using (client)
        {
            if (Down) return;
            try
            {
                using var upstream = new TcpClient();
                await upstream.ConnectAsync(IPAddress.Loopback, server.Port, ended.Token);
                await Task.WhenAny(Send(client.GetStream(), upstream.GetStream()), Receive(upstream.GetStream(), client.GetStream()));
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // Either side went away: so does the other.
            }
        }
    }

    private async Task Send(Stream from, Stream to)
    {
        var buffer = new byte[1 << 16];
        for (int read; (read = await from.ReadAsync(buffer, ended.Token)) > 0;)
        {
            if (Down) return;
            Interlocked.Add(ref sent, read);
            await to.WriteAsync(buffer.AsMemory(0, read), ended.Token);
        }
    }

    private async Task Receive(Stream from, Stream to)
    {
        var buffer = new byte[1 << 14];
        long onThis = 0;
        for (int read; (read = await from.ReadAsync(buffer, ended.Token)) > 0;)
        {
            if (AnswersToLose > 0)
            {
                AnswersToLose--;
                return;
            }
            if (onThis + read > SilentAfter)
            {
                SilentAfter = long.MaxValue;
                await Task.Delay(Timeout.Infinite, ended.Token);
            }
            await to.WriteAsync(buffer.AsMemory(0, read), ended.Token);
            Interlocked.Add(ref received, read);
            if ((onThis += read) > CutAfter || Down) return;
        }
    }
}
