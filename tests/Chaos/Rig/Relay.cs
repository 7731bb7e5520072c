using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace DmlPipeline.Chaos.Rig;

/// <summary>What a relay does to the bytes that pass.</summary>
internal sealed record Weather
{
    /// <summary>Nobody is let in, and who was in is out.</summary>
    public bool Refuses { get; init; }

    /// <summary>What clients send stays where it is until this is over; a client that ends meanwhile never sent it.</summary>
    public bool HoldsRequests { get; init; }

    /// <summary>The server hears and does what it is told, and nobody hears its answers until this is over.</summary>
    public bool HoldsAnswers { get; init; }

    /// <summary>Before each piece of at most 64 kB.</summary>
    public TimeSpan Delay { get; init; }
}

/// <summary>A relay between the services and a server: a bad network, made to order.</summary>
internal sealed class Relay : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly int server;
    private readonly CancellationTokenSource ended = new();
    private readonly ConcurrentDictionary<Link, bool> links = new();
    private readonly Task accepting;
    private readonly Lock changing = new();
    private volatile Sky sky = new([]);

    public Relay(int server)
    {
        this.server = server;
        listener.Start();
        accepting = Accept();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Bad weather until the result is disposed; several at once add up.</summary>
    public IDisposable Under(Weather weather)
    {
        Change(weathers => [.. weathers, weather]);
        if (weather.Refuses) Cut();
        return new Clearing(() => Change(weathers => [.. weathers.Where(other => !ReferenceEquals(other, weather))]));
    }

    /// <summary>Resets every connection that stands.</summary>
    public void Cut()
    {
        foreach (var link in links.Keys) link.Reset();
    }

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        listener.Dispose();
        Cut();
        await accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ended.Dispose();
    }

    private async Task Accept()
    {
        while (!ended.IsCancellationRequested)
        {
            var client = await listener.AcceptSocketAsync(ended.Token);
            if (sky.Refuses) Close(client, reset: true);
            else _ = Join(client);
        }
    }

    private async Task Join(Socket client)
    {
        var link = new Link(client, new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });
        client.NoDelay = true;
        links[link] = true;
        try
        {
            await link.Server.ConnectAsync(IPAddress.Loopback, server, ended.Token);
            // Whichever side ends first, the other has nobody to talk to any more.
            await await Task.WhenAny(Pump(link, link.Client, link.Server, isRequest: true), Pump(link, link.Server, link.Client, isRequest: false));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            link.Reset();
        }
        finally
        {
            links.TryRemove(link, out _);
            link.End();
        }
    }

    private async Task Pump(Link link, Socket from, Socket to, bool isRequest)
    {
        var buffer = new byte[1 << 16];
        while (await from.ReceiveAsync(buffer, ended.Token) is > 0 and var read)
        {
            var held = false;
            for (var now = sky; isRequest ? now.HoldsRequests : now.HoldsAnswers; now = sky)
            {
                held = true;
                await now.Over.WaitAsync(ended.Token);
            }
            if (held && isRequest && link.ClientIsGone) return;
            if (sky.Delay is var delay && delay > TimeSpan.Zero) await Task.Delay(delay, ended.Token);
            for (var sent = 0; sent < read;) sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), ended.Token);
        }
    }

    private void Change(Func<IReadOnlyList<Weather>, IReadOnlyList<Weather>> change)
    {
        lock (changing)
        {
            var before = sky;
            sky = new Sky(change(before.Weathers));
            before.End();
        }
    }

    private static void Close(Socket socket, bool reset)
    {
        try
        {
            if (reset) socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is closed already.
        }
        socket.Dispose();
    }

    /// <summary>All weathers of a moment.</summary>
    private sealed class Sky(IReadOnlyList<Weather> weathers)
    {
        private readonly TaskCompletionSource over = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IReadOnlyList<Weather> Weathers => weathers;

        public bool Refuses { get; } = weathers.Any(weather => weather.Refuses);

        public bool HoldsRequests { get; } = weathers.Any(weather => weather.HoldsRequests);

        public bool HoldsAnswers { get; } = weathers.Any(weather => weather.HoldsAnswers);

        public TimeSpan Delay { get; } = weathers.Select(weather => weather.Delay).DefaultIfEmpty().Max();

        /// <summary>Done when the next one has come.</summary>
        public Task Over => over.Task;

        public void End() => over.TrySetResult();
    }

    private sealed class Clearing(Action clear) : IDisposable
    {
        public void Dispose() => clear();
    }

    private sealed class Link(Socket client, Socket server)
    {
        public Socket Client => client;

        public Socket Server => server;

        /// <summary>Whether nothing more will come from it: its process closed the connection, or is dead.</summary>
        public bool ClientIsGone => client.Poll(0, SelectMode.SelectError) || client.Poll(0, SelectMode.SelectRead) && client.Available == 0;

        public void Reset()
        {
            Close(client, reset: true);
            Close(server, reset: true);
        }

        public void End()
        {
            Close(client, reset: false);
            Close(server, reset: false);
        }
    }
}
