using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Storage;

namespace DmlPipeline.Ingestion.Writing;

/// <param name="Sample">All but where it lies, which the writer fills in.</param>
internal sealed record PendingSample(DatasetSample Sample, Func<byte[]> Bytes);

/// <summary>
/// Writes images as WebDataset tar shards: <c>&lt;key&gt;.png</c> beside <c>&lt;key&gt;.cls</c>, the class as text. Equal images give equal
/// shards, byte for byte, and a shard's key holds its own hash: a repeated build overwrites the same objects with the same bytes,
/// and two rival builds never touch each other's.
/// </summary>
internal static class ShardWriter
{
    private const int TarHeaderBytes = 512;

    /// <returns>The new shards and samples in their order; <see cref="DatasetSample.Shard"/> counts from <paramref name="firstIndex"/>.</returns>
    public static async Task<(List<DatasetShard> Shards, List<DatasetSample> Samples)> Write(
        IArtifactStore store, string folder, IReadOnlyList<PendingSample> pending, int firstIndex, IngestionOptions options,
        Action<int>? written, CancellationToken cancel)
    {
        var shards = new List<DatasetShard>();
        var samples = new List<DatasetSample>(pending.Count);
        for (var next = 0; next < pending.Count;)
        {
            cancel.ThrowIfCancellationRequested();
            await using var file = TemporaryFile.Create(options.TemporaryFolder);
            var first = next;
            await using (var tar = new TarWriter(file, TarEntryFormat.Ustar, leaveOpen: true))
            {
                while (next < pending.Count && (next == first || file.Position < options.ShardBytes))
                {
                    cancel.ThrowIfCancellationRequested();
                    var (sample, bytes) = pending[next++];
                    var key = sample.Sha256[..32];
                    var image = bytes();
                    samples.Add(sample with { Shard = firstIndex + shards.Count, Offset = file.Position + TarHeaderBytes });
                    tar.WriteEntry(Member($"{key}.{Extension(sample.Format)}", image));
                    tar.WriteEntry(Member($"{key}.cls", Encoding.UTF8.GetBytes(sample.Class)));
                    if (samples.Count % 500 == 0) written?.Invoke(samples.Count);
                }
            }
            file.Position = 0;
            var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancel));
            file.Position = 0;
            var stored = await store.Put($"{folder}/shards/{shards.Count:D6}-{hash[..8]}.tar", file, cancel);
            if (stored.Sha256 != hash) throw new IOException($"The shard {stored.Key} was not stored as it was written; the store or its disk is faulty.");
            shards.Add(new DatasetShard(stored.Key, stored.Sha256, stored.Bytes, next - first));
        }
        return (shards, samples);
    }

    private static UstarTarEntry Member(string name, byte[] data) => new(TarEntryType.RegularFile, name)
    {
        DataStream = new MemoryStream(data, writable: false),
        ModificationTime = DateTimeOffset.UnixEpoch,
        Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
    };

    private static string Extension(string format) => format == "jpeg" ? "jpg" : format;
}
