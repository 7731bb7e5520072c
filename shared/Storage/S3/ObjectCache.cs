using System.Security.Cryptography;
using System.Text;

namespace DmlPipeline.Storage.S3;

/// <summary>
/// Local copies of objects, one per content. Tasks and processes that want the same one at once download it once; a download that was broken
/// off goes on where it ended.
/// </summary>
internal sealed class ObjectCache(string folder, long mostBytes)
{
    private const string PartialSuffix = ".partial";
    private const long Reserve = 256 << 20;

    // Given out as a path, a file may be opened a moment later.
    private static readonly TimeSpan InUse = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    public async Task<string> Get(StoredObject stored, Func<long, CancellationToken, Task<S3ReadStream>> open, CancellationToken cancel)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"{Name(stored.Key)}-{Name(stored.ETag)[..16]}");
        while (true)
        {
            if (IsThere(path, stored.Bytes)) return path;
            if (TryLock(path + PartialSuffix) is not { } partial)
            {
                await Task.Delay(LookAgain, cancel);
                continue;
            }
            await using (partial)
            {
                if (IsThere(path, stored.Bytes))
                {
                    File.Delete(partial.Name);
                    return path;
                }
                if (partial.Length >= stored.Bytes) partial.SetLength(0);
                MakeRoom(stored.Bytes - partial.Length, path);
                await using (var source = await open(partial.Length, cancel)) await Download(source, partial, cancel);
                // With the name that stands for the whole, nothing may be missing: no byte on its way to the disk, nor one that it has no room for.
                partial.Flush(flushToDisk: true);
                File.Move(partial.Name, path, overwrite: true);
            }
        }
    }

    /// <summary>Whether the whole copy is there; marks it as in use.</summary>
    private static bool IsThere(string path, long bytes)
    {
        try
        {
            var copy = new FileInfo(path);
            if (!copy.Exists || copy.Length != bytes) return false;
            copy.LastWriteTimeUtc = DateTime.UtcNow;
            return true;
        }
        catch (FileNotFoundException)
        {
            // It made room for another meanwhile.
            return false;
        }
    }

    private static async Task Download(S3ReadStream source, FileStream partial, CancellationToken cancel)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 17];
        if (source.Sha256 is not null)
            for (int read; (read = await partial.ReadAsync(buffer, cancel)) > 0;) hash.AppendData(buffer, 0, read);
        partial.Position = partial.Length;
        for (int read; (read = await source.ReadAsync(buffer, cancel)) > 0;)
        {
            hash.AppendData(buffer, 0, read);
            await partial.WriteAsync(buffer.AsMemory(0, read), cancel);
        }
        if (source.Sha256 is null || Convert.ToHexStringLower(hash.GetHashAndReset()) == source.Sha256) return;
        // What is on this disk must not be gone on from again.
        partial.SetLength(0);
        throw new StoreException(null, "A local copy came out with another SHA-256 than was stored with the object. It is made anew at the next try; if this repeats, the object is damaged.");
    }

    /// <exception cref="StoreException">The disk is too small.</exception>
    private void MakeRoom(long bytes, string except)
    {
        var files = new DirectoryInfo(folder).GetFiles().Where(file => !file.Name.EndsWith(PartialSuffix, StringComparison.Ordinal) && file.FullName != except)
            .OrderBy(file => file.LastWriteTimeUtc).ToList();
        var total = files.Sum(file => file.Length) + bytes;
        foreach (var file in files.Where(file => DateTime.UtcNow - file.LastWriteTimeUtc > InUse))
        {
            if (total <= mostBytes && HasRoom()) return;
            total -= file.Length;
            // Whoever has it open keeps reading it.
            file.Delete();
        }
        if (!HasRoom())
            throw new StoreException(S3Settings.CacheName, $"The disk of {folder} has no room for {bytes:N0} more bytes. Free some, or set {S3Settings.CacheName} to a folder on a larger disk.") { IsFull = true };

        bool HasRoom() => new DriveInfo(folder).AvailableFreeSpace > bytes + Reserve;
    }

    private static FileStream? TryLock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1 << 16);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or PathTooLongException))
        {
            return null;
        }
    }

    private static string Name(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..32];
}
