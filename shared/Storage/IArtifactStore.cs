using DmlPipeline.Contracts;

namespace DmlPipeline.Storage;

/// <param name="Key">Object key: segments joined by '/', never starting with one.</param>
/// <param name="Bytes">Length.</param>
/// <param name="ETag">Changes whenever the content changes.</param>
/// <param name="LastModified">Time of the last write.</param>
public sealed record StoredObject(string Key, long Bytes, string ETag, DateTimeOffset LastModified);

/// <summary>Objects by key: a local folder when embedded, an S3 bucket when distributed. Every write is atomic.</summary>
public interface IArtifactStore
{
    /// <summary>Every object whose key starts with <paramref name="prefix"/>, in ordinal order of keys.</summary>
    IAsyncEnumerable<StoredObject> List(string prefix, CancellationToken cancel);

    /// <returns>Null when there is no such object.</returns>
    Task<StoredObject?> Find(string key, CancellationToken cancel);

    /// <returns>A stream that can seek, so that a part of a large object can be read without the rest.</returns>
    /// <exception cref="FileNotFoundException">There is no such object.</exception>
    Task<Stream> OpenRead(string key, CancellationToken cancel);

    /// <summary>Writes the whole stream under the key, replacing what was there.</summary>
    Task<ArtifactRef> Put(string key, Stream content, CancellationToken cancel);

    /// <summary>Writes only when nothing has that key yet.</summary>
    /// <returns>Null when something was there already.</returns>
    Task<ArtifactRef?> PutIfAbsent(string key, Stream content, CancellationToken cancel);

    /// <summary>Deletes the object; deleting what is not there is no error.</summary>
    Task Delete(string key, CancellationToken cancel);

    /// <summary>A local read-only file with the object's content, for random access and memory mapping.</summary>
    Task<string> LocalFile(string key, CancellationToken cancel);
}
