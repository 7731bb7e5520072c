using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion.Labels;
using DmlPipeline.Storage;

namespace DmlPipeline.Ingestion.Writing;

/// <summary>
/// Writes images as WebDataset tar shards: <c>&lt;key&gt;.png</c> beside <c>&lt;key&gt;.cls</c>, the class as text. Equal images give equal
/// shards, byte for byte, and a shard's key holds its own hash: a repeated build overwrites the same objects with the same bytes,
/// and two rival builds never touch each other's.
/// </summary>
internal static class ShardWriter
{
    private const int TarHeaderBytes = 512;

    /// <param name="store">Where.</param>
    /// <param name="folder">Below which key.</param>
    /// <param name="images">In the order in which they are to lie there.</param>
    /// <param name="spool">Has their bytes.</param>
    /// <param name="firstIndex">What <see cref="DatasetSample.Shard"/> counts from.</param>
    /// <param name="options">Size of a shard.</param>
    /// <param name="placed">Told of each image once it has its place.</param>
    /// <param name="cancel">Ends it.</param>
    public static async Task<List<DatasetShard>> Write(
        IArtifactStore store, string folder, IEnumerable<LabelledImage> images, Spool spool, int firstIndex, IngestionOptions options,
        Action<LabelledImage, DatasetSample> placed, CancellationToken cancel)
    {
        var shards = new List<DatasetShard>();
        using var next = images.GetEnumerator();
        for (var more = next.MoveNext(); more;)
        {
            cancel.ThrowIfCancellationRequested();
            await using var file = TemporaryFile.Create(options.TemporaryFolder);
            var count = 0;
            await using (var tar = new TarWriter(file, TarEntryFormat.Ustar, leaveOpen: true))
            {
                for (; more && (count == 0 || file.Position < options.ShardBytes); more = next.MoveNext(), count++)
                {
                    cancel.ThrowIfCancellationRequested();
                    var image = next.Current;
                    var sample = Sample(image, firstIndex + shards.Count, file.Position + TarHeaderBytes);
                    var key = sample.Sha256[..32];
                    tar.WriteEntry(Member($"{key}.{Extension(sample.Format)}", spool.Read(image.Content.SpoolOffset, image.Content.Bytes)));
                    tar.WriteEntry(Member($"{key}.cls", Encoding.UTF8.GetBytes(sample.Class)));
                    placed(image, sample);
                }
            }
            file.Position = 0;
            var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancel));
            file.Position = 0;
            var stored = await store.Put($"{folder}/shards/{shards.Count:D6}-{hash[..8]}.tar", file, cancel);
            if (stored.Sha256 != hash) throw new IOException($"The shard {stored.Key} was not stored as it was written; the store or its disk is faulty.");
            shards.Add(new DatasetShard(stored.Key, stored.Sha256, stored.Bytes, count));
        }
        return shards;
    }

    private static DatasetSample Sample(LabelledImage image, int shard, long offset)
    {
        var facts = image.Content.Facts!;
        return new DatasetSample(
            image.Content.Digest.ToString(), image.Class, image.Name, shard, offset, image.Content.Bytes, facts.Width, facts.Height, facts.Format, facts.Hash.ToString("x16"),
            image.Role, image.Camera);
    }

    private static UstarTarEntry Member(string name, byte[] data) => new(TarEntryType.RegularFile, name)
    {
        DataStream = new MemoryStream(data, writable: false),
        ModificationTime = DateTimeOffset.UnixEpoch,
        Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
    };

    private static string Extension(string format) => format == "jpeg" ? "jpg" : format;
}
