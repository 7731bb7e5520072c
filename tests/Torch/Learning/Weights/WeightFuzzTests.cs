using System.IO.Compression;
using DmlPipeline.Learning.Weights;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Weights;

public sealed class WeightFuzzTests
{
    private const int Rounds = 1000;
    private const long MostBytes = 64 << 20;

    public static TheoryData<string> Files => [.. WeightFiles.Names];

    [Theory]
    [MemberData(nameof(Files))]
    public void Whatever_the_bytes_are_the_answer_is_tensors_or_a_refusal(string name) =>
        Mutate(File.ReadAllBytes(WeightFiles.PathOf(name)), name, WeightFile.Read);

    /// <summary>In an archive most changes only break the zip: here the pickle alone changes, and the archive is made anew around it.</summary>
    [Theory]
    [InlineData("state.pth")]
    [InlineData("views.pth")]
    [InlineData("checkpoint.pth")]
    [InlineData("protocol-4.pth")]
    public void Whatever_the_pickle_in_a_sound_archive_says_the_answer_is_tensors_or_a_refusal(string name)
    {
        var parts = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        using (var archive = ZipFile.OpenRead(WeightFiles.PathOf(name)))
        {
            foreach (var entry in archive.Entries)
            {
                using var content = entry.Open();
                var bytes = new byte[entry.Length];
                content.ReadExactly(bytes);
                parts[entry.FullName] = bytes;
            }
        }
        var pickle = parts.Keys.Single(part => part.EndsWith("data.pkl", StringComparison.Ordinal));
        Mutate(parts[pickle], name, stream =>
        {
            using var archived = new MemoryStream();
            using (var archive = new ZipArchive(archived, ZipArchiveMode.Create, leaveOpen: true))
            {
                foreach (var (part, bytes) in parts)
                {
                    using var entry = archive.CreateEntry(part, CompressionLevel.NoCompression).Open();
                    if (part == pickle) stream.CopyTo(entry);
                    else entry.Write(bytes);
                }
            }
            archived.Position = 0;
            return WeightFile.Read(archived);
        });
    }

    private static void Mutate(byte[] sound, string name, Func<Stream, (Dictionary<string, Tensor> Tensors, bool)> read)
    {
        var random = new Random(7);
        var read_ = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var bytes = Changed(sound, random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            using (NewDisposeScope())
            {
                var error = Record.Exception(() => read_ += read(new MemoryStream(bytes)).Tensors.Count > 0 ? 1 : 0);
                (error is null or WeightException or InvalidDataException or EndOfStreamException).ShouldBeTrue($"{name}, round {round}: {error}");
            }
            (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(MostBytes, $"{name}, round {round}");
        }
        read_.ShouldBeLessThan(Rounds); // else nothing was changed that matters
    }

    private static byte[] Changed(byte[] sound, Random random)
    {
        var bytes = sound.ToList();
        for (var changes = random.Next(1, 6); changes > 0 && bytes.Count > 0; changes--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes[at] = (byte)"(.0N}]tuseaqhrjcRbQXJKM\u0085\u0086\u0087\u008a\u0094\u0093"[random.Next(29)]; break;
                case 3: bytes.Insert(at, (byte)random.Next(256)); break;
                case 4: bytes.RemoveRange(at, Math.Min(random.Next(1, 20), bytes.Count - at)); break;
                default: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 40), bytes.Count - at))); break;
            }
        }
        return [.. bytes];
    }
}
