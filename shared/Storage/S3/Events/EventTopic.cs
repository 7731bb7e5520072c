using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace DmlPipeline.Storage.S3.Events;

/// <summary>Names a broker to a server that is told of brokers by its users, as Ceph's: SNS's CreateTopic, signed by AWS's rules, version 4.</summary>
internal static class EventTopic
{
    private const string Form = "application/x-www-form-urlencoded";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Makes the topic, or gives it a new address.</summary>
    /// <returns>Its ARN.</returns>
    /// <exception cref="StoreException">The server refuses, or has no topics.</exception>
    public static async Task<string> Create(S3Settings settings, string name, ObjectEventTarget target, CancellationToken cancel)
    {
        using var client = new HttpClient { Timeout = Limit };
        using var request = Request(settings, name, target, DateTimeOffset.UtcNow);
        try
        {
            using var response = await client.SendAsync(request, cancel);
            var text = await response.Content.ReadAsStringAsync(cancel);
            if (!response.IsSuccessStatusCode) throw Refused(settings, $"{(int)response.StatusCode} {Element(text, "Code")} {Element(text, "Message")}");
            return Element(text, "TopicArn") is { Length: > 0 } arn ? arn : throw Refused(settings, "its answer names no topic");
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw new StoreException(S3Settings.Address, $"The S3 server at {settings.Endpoint} gave no answer to a request for a topic ({e.GetBaseException().Message.TrimEnd('.')}).", e);
        }
    }

    private static HttpRequestMessage Request(S3Settings settings, string name, ObjectEventTarget target, DateTimeOffset now)
    {
        // Not persistent: a store whose own queue of events is full, because the broker is away, would refuse uploads. Not acknowledged: the
        // upload would wait for the broker. What is lost, the listing finds.
        var body = string.Join('&', new[]
        {
            ("Action", "CreateTopic"), ("Name", name),
            ("Attributes.entry.1.key", "push-endpoint"), ("Attributes.entry.1.value", target.Broker.OriginalString),
            ("Attributes.entry.2.key", "amqp-exchange"), ("Attributes.entry.2.value", target.Exchange),
            ("Attributes.entry.3.key", "amqp-ack-level"), ("Attributes.entry.3.value", "none"),
            ("Attributes.entry.4.key", "persistent"), ("Attributes.entry.4.value", "false"),
        }.Select(pair => $"{pair.Item1}={Uri.EscapeDataString(pair.Item2)}"));
        var address = new Uri(settings.Endpoint, "/");
        var host = address.IsDefaultPort ? address.Host : $"{address.Host}:{address.Port}";
        var (time, hash) = (now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture), Hash(body));
        const string signed = "content-type;host;x-amz-content-sha256;x-amz-date";
        var canonical = $"POST\n/\n\ncontent-type:{Form}\nhost:{host}\nx-amz-content-sha256:{hash}\nx-amz-date:{time}\n\n{signed}\n{hash}";
        var scope = $"{time[..8]}/{settings.Region}/s3/aws4_request";
        var key = Encoding.UTF8.GetBytes("AWS4" + settings.SecretKey);
        foreach (var part in scope.Split('/')) key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        var signature = Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"AWS4-HMAC-SHA256\n{time}\n{scope}\n{Hash(canonical)}")));

        var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new StringContent(body, Encoding.ASCII) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(Form);
        request.Headers.Host = host;
        request.Headers.Add("x-amz-content-sha256", hash);
        request.Headers.Add("x-amz-date", time);
        // A Ceph that is set to trust this takes a broker's password also where no TLS protects it, as on loopback.
        request.Headers.Add("X-Forwarded-Proto", "https");
        request.Headers.TryAddWithoutValidation("Authorization", $"AWS4-HMAC-SHA256 Credential={settings.AccessKey}/{scope}, SignedHeaders={signed}, Signature={signature}");
        return request;
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static StoreException Refused(S3Settings settings, string answer) => new(
        S3Settings.Address, $"The S3 server at {settings.Endpoint} made no topic for events ({answer.Trim()}). Ceph does, when its user may; MinIO is told of the broker by its administrator, and of that only the name is given here.");

    private static string? Element(string xml, string name)
    {
        try
        {
            return XDocument.Parse(xml).Descendants().FirstOrDefault(element => element.Name.LocalName == name)?.Value;
        }
        catch (XmlException)
        {
            return null;
        }
    }
}
