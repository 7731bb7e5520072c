using Amazon.S3;
using Amazon.S3.Model;

namespace DmlPipeline.Storage.S3;

/// <summary>
/// One upload in parts. A part that the server has already, by its hash, is not sent again. An upload that ends half way is kept for whoever
/// tries again, or ended with all that it holds.
/// </summary>
internal sealed class MultipartUpload(S3Connection s3, string key, string id, Dictionary<int, string> present, bool isKept, Action release) : IAsyncDisposable
{
    private readonly SortedDictionary<int, Part.Digest> parts = [];
    private bool completed;

    /// <summary>Reads and sends everything, some parts at once.</summary>
    public async Task Send(Part first, PartReader reader, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var slots = new SemaphoreSlim(s3.Settings.PartsAtOnce);
        var sending = new List<Task>();
        try
        {
            for (var part = first; part is not null; part = await reader.Next(stop.Token))
            {
                parts[part.Number] = part.Hash;
                await slots.WaitAsync(stop.Token);
                sending.Add(Send(part, slots, stop));
            }
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            // A part failed and stopped the rest; its own error comes out below.
        }
        catch
        {
            await stop.CancelAsync();
            await Task.WhenAll(sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
        await Task.WhenAll(sending);
    }

    public async Task Complete(bool onlyIfAbsent, CancellationToken cancel)
    {
        var request = new CompleteMultipartUploadRequest
        {
            BucketName = s3.Bucket, Key = key, UploadId = id, IfNoneMatch = onlyIfAbsent ? "*" : null,
            PartETags = [.. parts.Select(part => new PartETag(part.Key, part.Value.ETag))],
        };
        var expected = $"{Convert.ToHexStringLower(Part.Md5(parts.Values.SelectMany(part => part.Bytes).ToArray()))}-{parts.Count}";
        try
        {
            var response = await s3.Call("write", key, (client, token) => client.CompleteMultipartUploadAsync(request, token), cancel);
            MultipartUploads.CheckETag(key, response.ETag, response.ServerSideEncryptionMethod, expected);
        }
        catch (AmazonS3Exception e) when (e.ErrorCode == "NoSuchUpload")
        {
            // It is complete when the first answer was lost and this was the repetition.
            var found = await s3.Call("look at", key, (client, token) => client.GetObjectMetadataAsync(s3.Bucket, key, token), cancel);
            if (found.ETag.Trim('"') != expected) throw;
        }
    }

    public void Completed() => completed = true;

    public async ValueTask DisposeAsync()
    {
        // Not with the caller's token: what was cancelled is cleared away all the same.
        if (!completed && !isKept) await MultipartUploads.Abort(s3, key, id, CancellationToken.None);
        release();
    }

    private async Task Send(Part part, SemaphoreSlim slots, CancellationTokenSource stop)
    {
        try
        {
            using (part)
            {
                if (present.GetValueOrDefault(part.Number) == part.Hash.ETag) return;
                var response = await s3.Call("write", key, (client, token) => client.UploadPartAsync(new UploadPartRequest
                {
                    BucketName = s3.Bucket, Key = key, UploadId = id, PartNumber = part.Number, PartSize = part.Length, InputStream = part.Open(),
                }, token), stop.Token);
                MultipartUploads.CheckETag(key, response.ETag, response.ServerSideEncryptionMethod, part.Hash.ETag);
            }
        }
        catch
        {
            await stop.CancelAsync();
            throw;
        }
        finally
        {
            slots.Release();
        }
    }
}
