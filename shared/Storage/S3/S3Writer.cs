using System.Net;
using Amazon.S3;
using Amazon.S3.Model;
using DmlPipeline.Contracts;

namespace DmlPipeline.Storage.S3;

/// <summary>Writes objects: short ones in one request, long ones in parts. Either way nothing is seen before all of it is there.</summary>
internal sealed class S3Writer(S3Connection s3, S3Conditions conditions)
{
    private readonly MultipartUploads uploads = new(s3);

    /// <returns>Null when <paramref name="onlyIfAbsent"/> and something has the key.</returns>
    public async Task<ArtifactRef?> Write(string key, Stream content, bool onlyIfAbsent, CancellationToken cancel)
    {
        // Most come too late by hours, not by moments: they need not send all that for nothing.
        if (onlyIfAbsent && await Find(key, cancel) is not null) return null;
        var start = content.CanSeek ? content.Position : 0;
        try
        {
            return await Write(key, content, onlyIfAbsent, mayResume: content.CanSeek && !onlyIfAbsent, cancel);
        }
        catch (AmazonS3Exception) when (content.CanSeek)
        {
            // Another writer took up the same unfinished upload, or cleared it away: this one begins its own.
            content.Position = start;
            return await Write(key, content, onlyIfAbsent, mayResume: false, cancel);
        }
    }

    public async Task<GetObjectMetadataResponse?> Find(string key, CancellationToken cancel)
    {
        try
        {
            return await s3.Call("look at", key, (client, token) => client.GetObjectMetadataAsync(s3.Bucket, key, token), cancel);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    private async Task<ArtifactRef?> Write(string key, Stream content, bool onlyIfAbsent, bool mayResume, CancellationToken cancel)
    {
        using var reader = new PartReader(content, s3.Settings.PartBytes);
        var first = (await reader.Next(cancel))!;
        var writer = Guid.NewGuid().ToString("N");
        if (!reader.Ended)
        {
            var upload = await uploads.Begin(key, writer, mayResume, cancel);
            await using (upload)
            {
                await upload.Send(first, reader, cancel);
                if (!await Publish(key, writer, onlyIfAbsent, await conditions.OfUploads(onlyIfAbsent, cancel), upload.Complete, cancel)) return null;
                upload.Completed();
            }
            return new ArtifactRef(key, reader.Sha256(), reader.Bytes);
        }
        using (first)
        {
            var sha256 = reader.Sha256();
            var written = await Publish(key, writer, onlyIfAbsent, await conditions.OfPuts(onlyIfAbsent, cancel), (conditional, token) => Put(key, first, sha256, writer, conditional, token), cancel);
            return written ? new ArtifactRef(key, sha256, reader.Bytes) : null;
        }
    }

    /// <summary>Makes the object seen: at once, under the server's own condition, or, where it knows none, while no other writer may.</summary>
    private async Task<bool> Publish(
        string key, string writer, bool onlyIfAbsent, bool conditionHolds, Func<bool, CancellationToken, Task> publish, CancellationToken cancel)
    {
        if (!onlyIfAbsent)
        {
            await publish(false, cancel);
            return true;
        }
        if (!conditionHolds) return await S3Claim.Alone(s3, key, isTaken: async token => await Find(key, token) is not null, token => publish(false, token), cancel);
        try
        {
            await publish(true, cancel);
            return true;
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.PreconditionFailed)
        {
            // Perhaps by this very request: its first answer was lost, and the repetition found its effect.
            return await Find(key, cancel) is { } found && S3Metadata.WriterOf(found.Metadata) == writer;
        }
    }

    private async Task Put(string key, Part part, string sha256, string writer, bool conditional, CancellationToken cancel)
    {
        var response = await s3.Call("write", key, (client, token) =>
        {
            var request = new PutObjectRequest
            {
                BucketName = s3.Bucket, Key = key, InputStream = part.Open(), AutoCloseStream = true, ContentType = "application/octet-stream",
                IfNoneMatch = conditional ? "*" : null,
            };
            S3Metadata.Note(request.Metadata, sha256, writer);
            return client.PutObjectAsync(request, token);
        }, cancel);
        MultipartUploads.CheckETag(key, response.ETag, response.ServerSideEncryptionMethod, part.Hash.ETag);
    }
}
