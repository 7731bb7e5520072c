using System.Net;
using System.Runtime.CompilerServices;
using Amazon.S3;
using Amazon.S3.Model;

namespace DmlPipeline.Storage.S3;

/// <summary>Lists everything that begins with a prefix, page by page.</summary>
internal static class S3Listing
{
    public static async IAsyncEnumerable<StoredObject> List(S3Connection s3, string prefix, [EnumeratorCancellation] CancellationToken cancel)
    {
        // In this encoding, since names with control characters cannot be told in XML.
        var request = new ListObjectsV2Request { BucketName = s3.Bucket, Prefix = prefix, Encoding = EncodingType.Url, MaxKeys = s3.Settings.ListedAtOnce };
        while (true)
        {
            var page = await s3.Call("list", prefix, (client, token) => client.ListObjectsV2Async(request, token), cancel);
            foreach (var item in page.S3Objects ?? [])
                yield return new StoredObject(Key(item.Key), item.Size ?? 0, item.ETag.Trim('"'), Utc(item.LastModified));
            if (page.IsTruncated != true) yield break;
            request.ContinuationToken = page.NextContinuationToken;
        }
    }

    /// <summary>A key from an answer that was asked for with <see cref="EncodingType.Url"/>.</summary>
    public static string Key(string encoded) => WebUtility.UrlDecode(encoded);

    /// <summary>To the second: all that a look at a single object tells.</summary>
    public static DateTimeOffset Utc(DateTime? time) =>
        DateTimeOffset.FromUnixTimeSeconds(new DateTimeOffset(time?.ToUniversalTime() ?? DateTime.UnixEpoch).ToUnixTimeSeconds());
}
