using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using DmlPipeline.Contracts;
using DmlPipeline.Storage;

namespace DmlPipeline.Registry.Webhooks;

/// <summary>What became of one attempt.</summary>
/// <param name="Delivered">Whether the receiver answered with a status of 200 to 299.</param>
/// <param name="Status">Of the answer; null when there was none.</param>
/// <param name="Error">Why it is no success.</param>
public sealed record WebhookAttempt(bool Delivered, int? Status, string? Error);

/// <summary>Sends deliveries, signed, to addresses that were checked after they were looked up, and follows nobody anywhere.</summary>
public sealed class WebhookSender : IDisposable
{
    private const int MostResponseBytes = 64 << 10;

    private readonly HttpClient client;
    private readonly IReadOnlyList<IPNetwork> allowed;

    /// <param name="allowed">Networks that may be reached although they are not public.</param>
    /// <param name="patience">How long one attempt may take.</param>
    public WebhookSender(IReadOnlyList<IPNetwork> allowed, TimeSpan patience)
    {
        this.allowed = allowed;
        client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseCookies = false, UseProxy = false, ConnectTimeout = patience, MaxResponseHeadersLength = 32,
            PooledConnectionLifetime = TimeSpan.FromMinutes(1), ConnectCallback = Connect,
        })
        {
            Timeout = patience, MaxResponseContentBufferSize = MostResponseBytes,
        };
    }

    /// <summary>The signature of a body that is sent at a time: <c>v1=</c> and the HMAC-SHA256, in hexadecimal, of the time, a dot and the body.</summary>
    public static string Signature(string secret, long unixSeconds, string body) =>
        "v1=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{unixSeconds}.{body}")));

    public async Task<WebhookAttempt> Send(WebhookRow webhook, WebhookDeliveryRow delivery, CancellationToken cancel)
    {
        try
        {
            var body = Body(delivery);
            var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
            using var request = new HttpRequestMessage(HttpMethod.Post, webhook.Url) { Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json")) };
            request.Headers.Add("Dml-Event", delivery.Event);
            request.Headers.Add("Dml-Delivery", delivery.Id);
            request.Headers.Add("Dml-Timestamp", $"{now}");
            request.Headers.Add("Dml-Signature", Signature(WebhookSecret.Read(webhook.SecretRef), now, body));
            request.Headers.UserAgent.ParseAdd("DmlPipeline");
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
            return response.IsSuccessStatusCode ? new(true, (int)response.StatusCode, null)
                : (int)response.StatusCode is >= 300 and < 400 ? new(false, (int)response.StatusCode, "it redirects, and redirects are not followed: give the address that it means")
                : new(false, (int)response.StatusCode, $"it answered {(int)response.StatusCode} {response.ReasonPhrase}");
        }
        catch (Exception e) when (e is HttpRequestException or WebhookException or IOException || (e is TaskCanceledException && !cancel.IsCancellationRequested))
        {
            return new(false, null, e is TaskCanceledException ? $"no answer within {client.Timeout.TotalSeconds:0.#} s" : (e.InnerException as WebhookException)?.Message ?? e.Message);
        }
    }

    public void Dispose() => client.Dispose();

    /// <summary>The event in an envelope by which a receiver knows it again.</summary>
    private static string Body(WebhookDeliveryRow delivery) => new JsonObject
    {
        ["delivery"] = delivery.Id,
        ["event"] = delivery.Event,
        ["at"] = DateTimeOffset.FromUnixTimeMilliseconds(delivery.CreatedAt),
        ["data"] = JsonNode.Parse(delivery.BodyJson),
    }.ToJsonString(ContractJson.Compact);

    /// <summary>The address that is checked is the one that is connected to: a name that means another machine a moment later gains nothing.</summary>
    private async ValueTask<Stream> Connect(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var host = context.DnsEndPoint;
        var found = await Dns.GetHostAddressesAsync(host.Host, cancel);
        var reachable = found.Where(address => PublicAddress.IsAllowed(address, allowed)).ToArray();
        if (reachable.Length == 0 || reachable.Length < found.Length)
            throw new WebhookException($"{host.Host} is {string.Join(", ", found.Select(address => address.ToString()))}, which is no public address. To allow a private network: registry: webhook-networks.");
        if (context.InitialRequestMessage.RequestUri!.Scheme != Uri.UriSchemeHttps && !reachable.All(address => allowed.Any(network => network.Contains(address))))
            throw new WebhookException("over the public internet only https is spoken.");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(reachable, host.Port, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>A webhook cannot be reached or set up; the message says why.</summary>
public sealed class WebhookException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Finds the secret that signs.</summary>
internal static class WebhookSecret
{
    private const int ShortestSecret = 16;

    /// <param name="reference"><c>env:NAME</c> or <c>file:PATH</c>.</param>
    /// <exception cref="WebhookException">It is not there, or too short.</exception>
    public static string Read(string reference)
    {
        try
        {
            var secret = reference.StartsWith("env:", StringComparison.Ordinal) ? Environment.GetEnvironmentVariable(reference[4..]) ?? throw new WebhookException($"the variable {reference[4..]}, which should hold the secret, is not set for this process.")
                : reference.StartsWith("file:", StringComparison.Ordinal) ? File.ReadAllText(reference[5..])
                : throw new WebhookException($"'{reference}' says not where the secret is: write env:NAME or file:PATH.");
            return secret.Trim() is { Length: >= ShortestSecret } strong ? strong : throw new WebhookException($"the secret in {reference} is shorter than {ShortestSecret} characters.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new WebhookException($"the secret cannot be read: {e.Message}", e);
        }
    }
}
