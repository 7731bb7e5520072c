using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using DmlPipeline.Contracts;
using RabbitMQ.Client;

namespace DmlPipeline.Hosting.Messaging;

/// <summary>A message that no attempt could consume.</summary>
public sealed record DeadLetter
{
    /// <summary>The message's id; it keeps it when it is replayed.</summary>
    public required string Id { get; init; }

    /// <summary>The queue that it was to be consumed from.</summary>
    public required string Queue { get; init; }

    /// <summary>Name of the message type, or <c>?</c> where it cannot be told.</summary>
    public required string Type { get; init; }

    /// <summary>When the last attempt failed; null when the broker does not say.</summary>
    public DateTimeOffset? FailedAt { get; init; }

    /// <summary>Why, in one line.</summary>
    public required string Reason { get; init; }

    /// <summary>The whole error, with where it happened; null when its process ended without a word.</summary>
    public string? Error { get; init; }

    /// <summary>The machine and process that made the last attempt; null when unknown.</summary>
    public string? Worker { get; init; }

    /// <summary>The message itself as JSON, or as the text that it is when it cannot be read.</summary>
    public required string Body { get; init; }

    internal static DeadLetter Read(string queue, BasicGetResult got)
    {
        var envelope = Parse(got.Body.Span);
        var headers = got.BasicProperties.Headers;
        return new DeadLetter
        {
            Id = got.BasicProperties.MessageId ?? (string?)envelope?["messageId"] ?? $"{queue}-{got.DeliveryTag}",
            Queue = queue,
            Type = TypeOf(envelope),
            FailedAt = DateTimeOffset.TryParse(Header(headers, "MT-Fault-Timestamp"), CultureInfo.InvariantCulture, out var time) ? time : DiedAt(headers),
            Reason = Header(headers, "MT-Fault-Message") ?? Header(headers, "MT-Reason") switch
            {
                null or "fault" when headers?.ContainsKey("x-death") == true => "its process ended each time while it consumed this, without a word",
                var reason => reason ?? "unknown",
            },
            Error = ErrorOf(headers),
            Worker = Header(headers, "MT-Host-MachineName") is { } machine ? $"{machine}/{Header(headers, "MT-Host-ProcessId")}" : null,
            Body = envelope?["message"]?.ToJsonString(ContractJson.Indented) ?? Encoding.UTF8.GetString(got.Body.Span),
        };
    }

    /// <summary>Headers as they were before the message failed.</summary>
    internal static Dictionary<string, object?> WithoutFault(IDictionary<string, object?>? headers) =>
        (headers ?? new Dictionary<string, object?>(StringComparer.Ordinal))
        .Where(header => !header.Key.StartsWith("MT-Fault-", StringComparison.Ordinal) && !header.Key.StartsWith("MT-Host-", StringComparison.Ordinal)
            && header.Key is not "MT-Reason" && !header.Key.StartsWith("x-death", StringComparison.Ordinal)
            && !header.Key.StartsWith("x-first-death", StringComparison.Ordinal) && !header.Key.StartsWith("x-last-death", StringComparison.Ordinal)
            && header.Key is not "x-delivery-count")
        .ToDictionary(header => header.Key, header => header.Value, StringComparer.Ordinal);

    private static JsonObject? Parse(ReadOnlySpan<byte> body)
    {
        try
        {
            return JsonNode.Parse(body) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string TypeOf(JsonObject? envelope) =>
        envelope?["messageType"] is JsonArray { Count: > 0 } types && (string?)types[0] is { } urn ? urn[(urn.LastIndexOf(':') + 1)..] : "?";

    private static string? ErrorOf(IDictionary<string, object?>? headers) =>
        Header(headers, "MT-Fault-ExceptionType") is { } type
            ? $"{type}: {Header(headers, "MT-Fault-Message")}\n{Header(headers, "MT-Fault-StackTrace")}".TrimEnd()
            : null;

    private static DateTimeOffset? DiedAt(IDictionary<string, object?>? headers) =>
        headers is not null && headers.TryGetValue("x-death", out var deaths) && deaths is List<object?> { Count: > 0 } list
        && list[0] is IDictionary<string, object?> death && death.TryGetValue("time", out var time) && time is AmqpTimestamp stamp
            ? DateTimeOffset.FromUnixTimeSeconds(stamp.UnixTime)
            : null;

    private static string? Header(IDictionary<string, object?>? headers, string name) =>
        headers is not null && headers.TryGetValue(name, out var value)
            ? value switch { byte[] bytes => Encoding.UTF8.GetString(bytes), null => null, _ => Convert.ToString(value, CultureInfo.InvariantCulture) }
            : null;
}
