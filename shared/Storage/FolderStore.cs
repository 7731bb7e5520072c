using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using DmlPipeline.Contracts;

namespace DmlPipeline.Storage;

/// <summary>The artifact store as a folder: a key is a relative path, a write is a temporary file and a rename.</summary>
public sealed class FolderStore : IArtifactStore
{
    /// <summary>Names that begin so are uploads under way; listings leave them out.</summary>
    public const string PartialPrefix = ".partial-";

    private readonly string root;

    public FolderStore(string root)
    {
        this.root = Path.GetFullPath(root);
        Directory.CreateDirectory(this.root);
    }

    public string Root => root;

    public async IAsyncEnumerable<StoredObject> List(string prefix, [EnumeratorCancellation] CancellationToken cancel)
    {
        // A prefix may end inside a name, as in S3: list its folder and filter.
        var folder = prefix.Contains('/', StringComparison.Ordinal) ? PathOf(prefix[..prefix.LastIndexOf('/')]) : root;
        if (!Directory.Exists(folder)) yield break;
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None };
        var found = new DirectoryInfo(folder).EnumerateFiles("*", options)
            .Where(file => file.LinkTarget is null && !file.Name.StartsWith(PartialPrefix, StringComparison.Ordinal))
            .Select(file => (Key: Path.GetRelativePath(root, file.FullName).Replace(Path.DirectorySeparatorChar, '/'), File: file))
            .Where(item => item.Key.StartsWith(prefix, StringComparison.Ordinal))
            .OrderBy(item => item.Key, StringComparer.Ordinal);
        foreach (var (key, file) in found)
        {
            cancel.ThrowIfCancellationRequested();
            if (Describe(key, file) is { } stored) yield return stored;
        }
        await Task.CompletedTask;
    }

    public Task<StoredObject?> Find(string key, CancellationToken cancel) => Task.FromResult(Describe(key, new FileInfo(PathOf(key))));

    public Task<Stream> OpenRead(string key, CancellationToken cancel)
    {
        try
        {
            return Task.FromResult<Stream>(new FileStream(PathOf(key), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16));
        }
        catch (DirectoryNotFoundException e)
        {
            throw new FileNotFoundException($"There is no object '{key}' in the store.", key, e);
        }
    }

    public async Task<ArtifactRef> Put(string key, Stream content, CancellationToken cancel) =>
        (await Write(key, content, overwrite: true, cancel))!;

    public Task<ArtifactRef?> PutIfAbsent(string key, Stream content, CancellationToken cancel) => Write(key, content, overwrite: false, cancel);

    public Task Delete(string key, CancellationToken cancel)
    {
        var path = PathOf(key);
        try
        {
            File.Delete(path);
            // S3 has no folders, so empty ones must not outlive their objects either.
            for (var folder = Path.GetDirectoryName(path)!; folder.Length > root.Length; folder = Path.GetDirectoryName(folder)!)
                if (Directory.EnumerateFileSystemEntries(folder).Any()) break;
                else Directory.Delete(folder);
        }
        catch (DirectoryNotFoundException)
        {
            // Deleting what is not there is no error.
        }
        catch (IOException) when (!File.Exists(path))
        {
            // Another writer put something into the folder meanwhile: it stays.
        }
        return Task.CompletedTask;
    }

    public Task<string> LocalFile(string key, CancellationToken cancel)
    {
        var path = PathOf(key);
        return File.Exists(path) ? Task.FromResult(path) : throw new FileNotFoundException($"There is no object '{key}' in the store.", key);
    }

    /// <summary>Deletes what writers that were killed have left behind: partial files under the prefix that have not grown for that long.</summary>
    public void DeleteAbandoned(string prefix, TimeSpan olderThan)
    {
        var folder = PathOf(prefix);
        if (!Directory.Exists(folder)) return;
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None };
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles(PartialPrefix + "*", options))
            if (DateTime.UtcNow - file.LastWriteTimeUtc >= olderThan) file.Delete();
    }

    private async Task<ArtifactRef?> Write(string key, Stream content, bool overwrite, CancellationToken cancel)
    {
        var path = PathOf(key);
        var folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        var partial = Path.Combine(folder, PartialPrefix + Guid.NewGuid().ToString("N"));
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            long bytes = 0;
            await using (var file = new FileStream(partial, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0))
            {
                var buffer = new byte[1 << 17];
                for (int read; (read = await content.ReadAsync(buffer, cancel)) > 0; bytes += read)
                {
                    hash.AppendData(buffer, 0, read);
                    await file.WriteAsync(buffer.AsMemory(0, read), cancel);
                }
                file.Flush(flushToDisk: true);
            }
            if (overwrite) File.Move(partial, path, overwrite: true);
            else if (!TryMoveNew(partial, path)) return null;
            return new ArtifactRef(key, Convert.ToHexStringLower(hash.GetHashAndReset()), bytes);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    private static bool TryMoveNew(string partial, string path)
    {
        try
        {
            File.Move(partial, path, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            return false;
        }
    }

    private static StoredObject? Describe(string key, FileInfo file)
    {
        if (!file.Exists) return null;
        var etag = string.Create(null, $"{file.Length:x}-{file.LastWriteTimeUtc.Ticks:x}");
        return new StoredObject(key, file.Length, etag, new DateTimeOffset(file.LastWriteTimeUtc, TimeSpan.Zero));
    }

    private string PathOf(string key)
    {
        if (key.Length == 0 || key[0] == '/' || key.Contains('\0', StringComparison.Ordinal) || key.Split('/').Any(part => part is "." or ".."))
            throw new ArgumentException($"'{key}' is no object key: keys are relative, without '.' or '..' segments.", nameof(key));
        return Path.Combine(root, key);
    }
}
