using System.Collections.Concurrent;
using Amazon.S3;
using Amazon.S3.Model;

namespace DmlPipeline.Storage.S3;

/// <summary>Uploads in parts, those that an earlier process left unfinished included.</summary>
internal sealed class MultipartUploads(S3Connection s3)
{
    private readonly ConcurrentDictionary<string, bool> underWay = new(StringComparer.Ordinal);

    /// <summary>Begins an upload, or goes on with one of this key that nobody in this process works on.</summary>
    public async Task<MultipartUpload> Begin(string key, string writer, bool mayResume, CancellationToken cancel)
    {
        if (mayResume)
            foreach (var id in (await List(s3, key, cancel)).Where(upload => upload.Key == key).OrderByDescending(upload => upload.Begun).Select(upload => upload.Id))
                if (underWay.TryAdd(id, true))
                    return new MultipartUpload(s3, key, id, await Parts(key, id, cancel), isKept: true, () => underWay.TryRemove(id, out _));
        var response = await s3.Call("write", key, (client, token) =>
        {
            var request = new InitiateMultipartUploadRequest { BucketName = s3.Bucket, Key = key, ContentType = "application/octet-stream" };
            S3Metadata.Note(request.Metadata, sha256: null, writer);
            return client.InitiateMultipartUploadAsync(request, token);
        }, cancel);
        underWay[response.UploadId] = true;
        return new MultipartUpload(s3, key, response.UploadId, [], isKept: mayResume, () => underWay.TryRemove(response.UploadId, out _));
    }

    /// <summary>Ends uploads below the prefix that were begun so long ago, and frees what they hold.</summary>
    public static async Task Abort(S3Connection s3, string prefix, DateTimeOffset begunBefore, CancellationToken cancel)
    {
        foreach (var upload in await List(s3, prefix, cancel))
            if (upload.Begun <= begunBefore) await Abort(s3, upload.Key, upload.Id, cancel);
    }

    public static async Task Abort(S3Connection s3, string key, string id, CancellationToken cancel)
    {
        try
        {
            await s3.Call("end an upload of", key, (client, token) => client.AbortMultipartUploadAsync(s3.Bucket, key, id, token), cancel);
        }
        catch (AmazonS3Exception)
        {
            // It has ended already.
        }
    }

    /// <exception cref="StoreException">The server stored other bytes than were sent.</exception>
    public static void CheckETag(string key, string? etag, ServerSideEncryptionMethod? encryption, string expected)
    {
        // Encrypted with the server's keys, an ETag is no hash of the content.
        if (encryption is not null && encryption != ServerSideEncryptionMethod.None && encryption != ServerSideEncryptionMethod.AES256) return;
        if (etag?.Trim('"') is { Length: > 0 } given && given != expected)
            throw new StoreException(null, $"The server stored other bytes for '{key}' than were sent (ETag {given} instead of {expected}). Write it again; if this repeats, look for a broken proxy or disk.");
    }

    private static async Task<List<(string Key, string Id, DateTimeOffset Begun)>> List(S3Connection s3, string prefix, CancellationToken cancel)
    {
        var found = new List<(string, string, DateTimeOffset)>();
        var request = new ListMultipartUploadsRequest { BucketName = s3.Bucket, Prefix = prefix, Encoding = EncodingType.Url };
        while (true)
        {
            var page = await s3.Call("list uploads of", prefix, (client, token) => client.ListMultipartUploadsAsync(request, token), cancel);
            found.AddRange((page.MultipartUploads ?? []).Select(upload => (S3Listing.Key(upload.Key), upload.UploadId, new DateTimeOffset(upload.Initiated?.ToUniversalTime() ?? DateTime.UtcNow))));
            if (page.IsTruncated != true) return found;
            (request.KeyMarker, request.UploadIdMarker) = (S3Listing.Key(page.NextKeyMarker), page.NextUploadIdMarker);
        }
    }

    private async Task<Dictionary<int, string>> Parts(string key, string id, CancellationToken cancel)
    {
        var parts = new Dictionary<int, string>();
        var request = new ListPartsRequest { BucketName = s3.Bucket, Key = key, UploadId = id };
        while (true)
        {
            var page = await s3.Call("list parts of", key, (client, token) => client.ListPartsAsync(request, token), cancel);
            foreach (var part in page.Parts ?? []) parts[part.PartNumber ?? 0] = part.ETag.Trim('"');
            if (page.IsTruncated != true || page.NextPartNumberMarker is null) return parts;
            request.PartNumberMarker = page.NextPartNumberMarker.ToString();
        }
    }
}
