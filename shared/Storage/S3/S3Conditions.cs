using System.Net;
using Amazon.S3;
using Amazon.S3.Model;

namespace DmlPipeline.Storage.S3;

/// <summary>
/// Whether the server honours "only if nothing has this key". Some ignore that condition, for all writes or for those in parts, without
/// a word: it is tried out once, before the first write that depends on it.
/// </summary>
internal sealed class S3Conditions(S3Connection s3) : IDisposable
{
    private readonly SemaphoreSlim once = new(1, 1);
    private bool? ofPuts;
    private bool? ofUploads;

    /// <summary>For tests: what a server honours that honours less.</summary>
    internal static S3Conditions Known(S3Connection s3, bool ofPuts, bool ofUploads) => new(s3) { ofPuts = ofPuts, ofUploads = ofUploads };

    public async Task<bool> OfPuts(bool matters, CancellationToken cancel) => matters && (ofPuts ??= await Try(Puts, cancel));

    public async Task<bool> OfUploads(bool matters, CancellationToken cancel) => matters && (ofUploads ??= await Try(Uploads, cancel));

    public void Dispose() => once.Dispose();

    private async Task<bool> Try(Func<string, CancellationToken, Task> writeAgain, CancellationToken cancel)
    {
        var key = $"{ObjectKey.PartialPrefix}probe/{Guid.NewGuid():N}";
        await once.WaitAsync(cancel);
        try
        {
            await Put(key, condition: null, cancel);
            await writeAgain(key, cancel);
            return false;
        }
        catch (AmazonS3Exception e) when (e.StatusCode is HttpStatusCode.PreconditionFailed)
        {
            return true;
        }
        catch (StoreException e) when (e.InnerException is AmazonS3Exception { StatusCode: HttpStatusCode.NotImplemented or HttpStatusCode.BadRequest })
        {
            return false;
        }
        finally
        {
            await s3.Call("delete", key, (client, token) => client.DeleteObjectAsync(s3.Bucket, key, token), CancellationToken.None);
            once.Release();
        }
    }

    private Task Puts(string key, CancellationToken cancel) => Put(key, "*", cancel);

    private Task Put(string key, string? condition, CancellationToken cancel) =>
        s3.Call("write", key, (client, token) => client.PutObjectAsync(new PutObjectRequest { BucketName = s3.Bucket, Key = key, ContentBody = "", IfNoneMatch = condition }, token), cancel);

    private async Task Uploads(string key, CancellationToken cancel)
    {
        var id = (await s3.Call("write", key, (client, token) => client.InitiateMultipartUploadAsync(s3.Bucket, key, token), cancel)).UploadId;
        try
        {
            var part = await s3.Call("write", key, (client, token) => client.UploadPartAsync(
                new UploadPartRequest { BucketName = s3.Bucket, Key = key, UploadId = id, PartNumber = 1, PartSize = 1, InputStream = new MemoryStream([1]) }, token), cancel);
            await s3.Call("write", key, (client, token) => client.CompleteMultipartUploadAsync(
                new CompleteMultipartUploadRequest { BucketName = s3.Bucket, Key = key, UploadId = id, PartETags = [new PartETag(1, part.ETag)], IfNoneMatch = "*" }, token), cancel);
        }
        catch
        {
            await MultipartUploads.Abort(s3, key, id, CancellationToken.None);
            throw;
        }
    }
}
