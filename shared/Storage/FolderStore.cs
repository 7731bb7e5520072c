using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using DmlPipeline.Contracts;

namespace DmlPipeline.Storage;

/// <summary>The artifact store as a folder: a key is a relative path, a write is a temporary file and a rename.</summary>
public sealed class FolderStore : IArtifactStore
{
    /// <summary>Names that begin so are uploads under way; listings leave them out.</summary>
    public const string PartialPrefix = ObjectKey.PartialPrefix;

    // Hidden files are objects too; links are not: they could lead out of the store, or in circles.
    private static readonly EnumerationOptions OneFolder = new() { AttributesToSkip = FileAttributes.ReparsePoint };
    private static readonly EnumerationOptions Everything = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };

    // Between creating a file and locking it there is a moment in which it looks abandoned.
    private static readonly TimeSpan JustCreated = TimeSpan.FromMilliseconds(100);

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
        if (!Directory.Exists(folder) || CrossesLink(folder)) yield break;
        foreach (var (key, file) in InOrder(folder, prefix))
        {
            cancel.ThrowIfCancellationRequested();
            if (Describe(key, file) is { } stored) yield return stored;
        }
        await Task.CompletedTask;
    }

    /// <summary>The files below a folder, by key. One folder after the other: a store of millions of objects is never in memory at once.</summary>
    private IEnumerable<(string Key, FileInfo File)> InOrder(string folder, string prefix)
    {
        // A folder's name stands in the keys of its files with a slash behind it, and is sorted so.
        var entries = Entries(folder).Select(entry => (Key: KeyOf(entry.FullName) + (entry is DirectoryInfo ? "/" : ""), Entry: entry))
            .Where(item => item.Key.StartsWith(prefix, StringComparison.Ordinal) || item.Entry is DirectoryInfo && prefix.StartsWith(item.Key, StringComparison.Ordinal));
        foreach (var (key, entry) in entries.OrderBy(item => item.Key, StringComparer.Ordinal))
        {
            if (entry is FileInfo file)
            {
                if (!file.Name.StartsWith(PartialPrefix, StringComparison.Ordinal)) yield return (key, file);
            }
            else
                foreach (var below in InOrder(entry.FullName, prefix)) yield return below;
        }
    }

    private static FileSystemInfo[] Entries(string folder)
    {
        try
        {
            return new DirectoryInfo(folder).GetFileSystemInfos("*", OneFolder);
        }
        catch (DirectoryNotFoundException)
        {
            // Whoever deleted its last object took the folder away meanwhile.
            return [];
        }
    }

    private string KeyOf(string path) => Path.GetRelativePath(root, path).Replace(Path.DirectorySeparatorChar, '/');

    public Task<StoredObject?> Find(string key, CancellationToken cancel)
    {
        var path = PathOf(key);
        return Task.FromResult(CrossesLink(path) ? null : Describe(key, new FileInfo(path)));
    }

    public Task<Stream> OpenRead(string key, CancellationToken cancel)
    {
        var path = ExistingPathOf(key);
        try
        {
            return Task.FromResult<Stream>(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw ObjectKey.Missing(key);
        }
    }

    public async Task<ArtifactRef> Put(string key, Stream content, CancellationToken cancel) =>
        (await Write(key, content, overwrite: true, cancel))!;

    public Task<ArtifactRef?> PutIfAbsent(string key, Stream content, CancellationToken cancel) => Write(key, content, overwrite: false, cancel);

    public Task Delete(string key, CancellationToken cancel)
    {
        var path = PathOf(key);
        if (CrossesLink(Path.GetDirectoryName(path)!) || Directory.Exists(path)) return Task.CompletedTask;
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

    public Task<string> LocalFile(string key, CancellationToken cancel) => Task.FromResult(ExistingPathOf(key));

    /// <summary>Deletes what writers that were killed have left behind: partial files under the prefix that no process writes any more.</summary>
    public void DeleteAbandoned(string prefix)
    {
        var folder = PathOf(prefix);
        if (!Directory.Exists(folder) || CrossesLink(folder)) return;
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles(PartialPrefix + "*", Everything))
        {
            if (DateTime.UtcNow - file.LastWriteTimeUtc < JustCreated) continue;
            try
            {
                // Nobody may have it open: its writer does until it has its name.
                using var alone = new FileStream(file.FullName, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
                file.Delete();
            }
            catch (IOException)
            {
                // It is being written, or has its name by now.
            }
        }
    }

    private async Task<ArtifactRef?> Write(string key, Stream content, bool overwrite, CancellationToken cancel)
    {
        var path = PathOf(key);
        var folder = Path.GetDirectoryName(path)!;
        if (CrossesLink(folder))
            throw new IOException($"'{key}' lies behind a symbolic link, which the store does not follow. Replace the link by a folder.");
        var partial = CreatePartial(folder);
        var published = false;
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            long bytes = 0;
            var buffer = new byte[1 << 17];
            for (int read; (read = await content.ReadAsync(buffer, cancel)) > 0; bytes += read)
            {
                hash.AppendData(buffer, 0, read);
                await partial.WriteAsync(buffer.AsMemory(0, read), cancel);
            }
            partial.Flush(flushToDisk: true);
            // Still open, and so for all to see in use, until it has its name.
            if (overwrite) PartialFile.Replace(partial.Name, path);
            published = overwrite || PartialFile.TryAdd(partial.Name, path);
            return published ? new ArtifactRef(key, Convert.ToHexStringLower(hash.GetHashAndReset()), bytes) : null;
        }
        finally
        {
            if (!published) File.Delete(partial.Name);
            await partial.DisposeAsync();
        }
    }

    private static FileStream CreatePartial(string folder)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                Directory.CreateDirectory(folder);
                // Shared, so that readers who come the moment it has its name are let in. Network file systems lock only what may also be read.
                return new FileStream(Path.Combine(folder, PartialPrefix + Guid.NewGuid().ToString("N")), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, 0);
            }
            catch (DirectoryNotFoundException) when (attempt < 100)
            {
                // Whoever deleted the last other object took the empty folder away in between.
            }
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
        ObjectKey.Check(key);
        return Path.Combine(root, key);
    }

    private string ExistingPathOf(string key)
    {
        var path = PathOf(key);
        return File.Exists(path) && !CrossesLink(path) ? path : throw ObjectKey.Missing(key);
    }

    /// <summary>Whether the path, or a folder between the root and it, is a symbolic link.</summary>
    private bool CrossesLink(string path)
    {
        for (; path.Length > root.Length; path = Path.GetDirectoryName(path)!)
            if (new FileInfo(path).LinkTarget is not null) return true;
        return false;
    }
}
