using System.Net;
using System.Text;
using Amazon.S3;
using Amazon.S3.Model;
using DmlPipeline.Contracts;
using DmlPipeline.Storage.S3.Events;

namespace DmlPipeline.Storage.S3;

/// <summary>The artifact store as a bucket of any S3 server: MinIO, Ceph, RustFS, AWS. Thread-safe; one is enough for a process.</summary>
public sealed class S3Store : IArtifactStore, IDisposable
{
    private const int LongestKey = 1024;
    private const int MostReplacements = 10;
    private static readonly TimeSpan OpenWithin = TimeSpan.FromSeconds(10);

    private readonly S3Connection s3;
    private readonly S3Conditions conditions;
    private readonly S3Writer writer;
    private readonly ObjectCache cache;

    private S3Store(S3Connection s3, S3Conditions conditions)
    {
        this.s3 = s3;
        this.conditions = conditions;
        writer = new S3Writer(s3, conditions);
        cache = new ObjectCache(s3.Settings.CacheFolder, s3.Settings.CacheBytes);
    }

    public S3Settings Settings => s3.Settings;

    /// <summary>Opens the bucket and finds out whether the server, the keys and the bucket are right.</summary>
    /// <param name="settings">Where and as whom.</param>
    /// <param name="createBucket">Whether a bucket that is not there is made.</param>
    /// <param name="cancel">Ends the waiting.</param>
    /// <exception cref="StoreException">They are not; it names the setting.</exception>
    public static Task<S3Store> Open(S3Settings settings, bool createBucket, CancellationToken cancel) =>
        Open(settings, createBucket, connection => new S3Conditions(connection), cancel);

    internal static async Task<S3Store> Open(S3Settings settings, bool createBucket, Func<S3Connection, S3Conditions> conditions, CancellationToken cancel)
    {
        settings.Check();
        var connection = new S3Connection(settings);
        try
        {
            await Check(connection, createBucket, cancel);
            return new S3Store(connection, conditions(connection));
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Asks the server for nothing in particular, to know that it answers.</summary>
    /// <exception cref="StoreException">It does not.</exception>
    public Task CheckHealth(CancellationToken cancel) => Check(s3, createBucket: false, cancel);

    // Without folder markers of other programs, uploads under way, and names that are no keys in any other store.
    public IAsyncEnumerable<StoredObject> List(string prefix, CancellationToken cancel) =>
        S3Listing.List(s3, prefix, cancel).Where(stored => ObjectKey.IsValid(stored.Key));

    public async Task<StoredObject?> Find(string key, CancellationToken cancel)
    {
        Check(key);
        return await writer.Find(key, cancel) is { } found ? new StoredObject(key, found.ContentLength, found.ETag.Trim('"'), S3Listing.Utc(found.LastModified)) : null;
    }

    public async Task<Stream> OpenRead(string key, CancellationToken cancel)
    {
        Check(key);
        return await S3ReadStream.Open(s3, key, cancel);
    }

    /// <summary>
    /// As the interface says. Long content that can seek and was broken off, here or in a process that died, goes on where it ended when the
    /// same is put again: parts that the server has already are not sent twice.
    /// </summary>
    public async Task<ArtifactRef> Put(string key, Stream content, CancellationToken cancel)
    {
        Check(key);
        return (await writer.Write(key, content, onlyIfAbsent: false, cancel))!;
    }

    public Task<ArtifactRef?> PutIfAbsent(string key, Stream content, CancellationToken cancel)
    {
        Check(key);
        return writer.Write(key, content, onlyIfAbsent: true, cancel);
    }

    public Task Delete(string key, CancellationToken cancel)
    {
        Check(key);
        return s3.Call("delete", key, (client, token) => client.DeleteObjectAsync(s3.Bucket, key, token), cancel);
    }

    public async Task<string> LocalFile(string key, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            var stored = await Find(key, cancel) ?? throw ObjectKey.Missing(key);
            try
            {
                return await cache.Get(stored, (offset, token) => S3ReadStream.Open(s3, stored, offset, token), cancel);
            }
            catch (StoreException e) when (S3ReadStream.IsReplaced(e) && attempt < MostReplacements)
            {
                // The copy must be of the version that it is named after: look again.
            }
        }
    }

    /// <summary>Ends uploads below the prefix that were begun so long ago and never finished, and frees what they hold.</summary>
    /// <remarks>MinIO lists no uploads by prefix; it ends them by itself after a day.</remarks>
    public async Task DeleteAbandoned(string prefix, TimeSpan olderThan, CancellationToken cancel)
    {
        var before = DateTimeOffset.UtcNow - olderThan;
        await MultipartUploads.Abort(s3, prefix, before, cancel);
        await foreach (var claim in S3Listing.List(s3, S3Claim.Folder + prefix, cancel))
            if (claim.LastModified <= before)
                await s3.Call("delete", claim.Key, (client, token) => client.DeleteObjectAsync(s3.Bucket, claim.Key, token), cancel);
    }

    /// <summary>Asks the server to tell of objects that are written below the prefix, as <see cref="ObjectEvents"/> reads it. What others have asked of it stays.</summary>
    /// <exception cref="StoreException">It refuses, or has no such events.</exception>
    public Task RegisterEvents(string prefix, ObjectEventTarget target, CancellationToken cancel) => BucketNotification.Register(s3, prefix, target, cancel);

    public void Dispose()
    {
        conditions.Dispose();
        s3.Dispose();
    }

    private static async Task Check(S3Connection connection, bool createBucket, CancellationToken cancel)
    {
        var request = new ListObjectsV2Request { BucketName = connection.Bucket, MaxKeys = 1 };
        try
        {
            await connection.Call("list", null, (client, token) => client.ListObjectsV2Async(request, token), OpenWithin, cancel);
        }
        catch (StoreException e) when (createBucket && e.InnerException is AmazonS3Exception { ErrorCode: "NoSuchBucket" })
        {
            await Create(connection, cancel);
        }
    }

    private static async Task Create(S3Connection connection, CancellationToken cancel)
    {
        try
        {
            await connection.Call("create the bucket", null, (client, token) => client.PutBucketAsync(connection.Bucket, token), OpenWithin, cancel);
        }
        catch (StoreException e) when (e.InnerException is AmazonS3Exception { StatusCode: HttpStatusCode.Conflict, ErrorCode: "BucketAlreadyOwnedByYou" })
        {
            // Another process of the pipeline made it at the same moment.
        }
    }

    private static void Check(string key)
    {
        ObjectKey.Check(key);
        if (Encoding.UTF8.GetByteCount(key) > LongestKey) throw new ArgumentException($"'{key}' is no object key: S3 takes keys of {LongestKey} bytes at most.", nameof(key));
    }
}
