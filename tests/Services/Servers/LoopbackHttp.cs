using System.Net;
using System.Net.Sockets;

namespace DmlPipeline.Tests.Services.Servers;

internal static class LoopbackHttp
{
    /// <summary>Starts the server on a free port of this machine.</summary>
    /// <returns>Its address.</returns>
    public static Uri Listen(this HttpListener server)
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var address = new Uri($"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/");
        free.Stop();
        server.Prefixes.Add(address.ToString());
        server.Start();
        return address;
    }
}
