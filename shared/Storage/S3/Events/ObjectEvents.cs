using System.Net;
using System.Text;
using System.Text.Json;

namespace DmlPipeline.Storage.S3.Events;

/// <summary>What a message of an S3 server tells.</summary>
/// <param name="Created">Keys of objects that are said to have been written, each a place to look at: neither that there is such an object nor what it holds is known.</param>
/// <param name="Others">Records of other buckets, of other events, or outside the prefix.</param>
/// <param name="Unreadable">Records, or a whole message, that no server of S3 writes.</param>
public sealed record ObjectEventMessage(IReadOnlyList<string> Created, int Others, int Unreadable);

/// <summary>
/// Reads the messages in which S3 servers tell of written objects. Whoever can reach the broker can write one, so nothing in it is
/// trusted, and nothing in it is an error: what cannot be read is counted.
/// </summary>
public static class ObjectEvents
{
    // Servers send one record a message, of a kilobyte or two.
    private const int MostBytes = 1 << 20;
    private const int MostRecords = 1000;
    private const int LongestKey = 1024;

    private static readonly ObjectEventMessage Nothing = new([], Others: 0, Unreadable: 1);

    /// <param name="body">The message as it came.</param>
    /// <param name="bucket">Events of others are none of ours.</param>
    /// <param name="prefix">With which a key must begin.</param>
    public static ObjectEventMessage Read(ReadOnlyMemory<byte> body, string bucket, string prefix)
    {
        if (body.Length > MostBytes) return Nothing;
        try
        {
            using var document = JsonDocument.Parse(body);
            if (Property(document.RootElement, "Records") is not { ValueKind: JsonValueKind.Array } records || records.GetArrayLength() > MostRecords) return Nothing;
            var keys = new List<string>();
            var (others, unreadable) = (0, 0);
            foreach (var record in records.EnumerateArray())
            {
                if (Keys(record, bucket) is not { } named) unreadable++;
                else if (named.FindAll(key => IsPlace(key, prefix)) is { Count: > 0 } places) keys.AddRange(places);
                else others++;
            }
            return new ObjectEventMessage(keys, others, unreadable);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return Nothing;
        }
    }

    /// <returns>The readings of the record's key; none when it tells of something else; null when it is no record.</returns>
    private static List<string>? Keys(JsonElement record, string bucket)
    {
        try
        {
            if (Text(record, "eventName") is not { } name || Property(record, "s3") is not { } s3 || Text(Property(s3, "object"), "key") is not { Length: > 0 } key) return null;
            // MinIO and AWS write s3:ObjectCreated:Put, Ceph ObjectCreated:Put.
            if (!name.StartsWith("ObjectCreated:", StringComparison.Ordinal) && !name.StartsWith("s3:ObjectCreated:", StringComparison.Ordinal)) return [];
            if (Text(Property(s3, "bucket"), "name") is { } of && of != bucket) return [];
            // Ceph writes keys as they are: a%2Fb is a name there. MinIO writes them as in a query, a+b%2Fc for "a b/c". Others say the one and
            // do the other, so both places are looked at.
            return Text(record, "eventSource") switch
            {
                "ceph:s3" => [key],
                "minio:s3" => [WebUtility.UrlDecode(key)],
                _ when WebUtility.UrlDecode(key) is var decoded && decoded != key => [decoded, key],
                _ => [key],
            };
        }
        catch (InvalidOperationException)
        {
            // A text that is no Unicode.
            return null;
        }
    }

    private static bool IsPlace(string key, string prefix) =>
        key.StartsWith(prefix, StringComparison.Ordinal) && key.Length > prefix.Length && ObjectKey.IsValid(key) && Encoding.UTF8.GetByteCount(key) <= LongestKey;

    private static string? Text(JsonElement? element, string name) => Property(element, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    private static JsonElement? Property(JsonElement? element, string name) =>
        element is { ValueKind: JsonValueKind.Object } found && found.TryGetProperty(name, out var property) ? property : null;
}
