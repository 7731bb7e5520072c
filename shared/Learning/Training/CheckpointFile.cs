using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using DmlPipeline.Torch;
using TorchSharp;

namespace DmlPipeline.Learning.Training;

/// <summary>Checkpoints on disk: one safetensors file, whole or not there, with its own hash; the last two are kept.</summary>
public sealed class CheckpointFile(string folder)
{
    private const string PositionKey = "position", HashKey = "sha256";
    private static readonly string NoHash = new('0', 64);
    private static readonly byte[] HashMarker = Encoding.ASCII.GetBytes($"\"{HashKey}\":\"");

    /// <summary>The newest checkpoint.</summary>
    public string Newest { get; } = Path.Combine(folder, "checkpoint.safetensors");

    /// <summary>The one before, for the case that the newest is broken.</summary>
    public string Previous { get; } = Path.Combine(folder, "checkpoint.previous.safetensors");

    /// <summary>Writes a checkpoint beside the others, flushes it to the disk and only then gives it its name.</summary>
    public void Save(IReadOnlyDictionary<string, torch.Tensor> tensors, TrainingPosition position)
    {
        var temporary = Newest + ".tmp";
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.ReadWrite))
        {
            Safetensors.Write(file, tensors, new Dictionary<string, string>(StringComparer.Ordinal) { [PositionKey] = position.ToJson(), [HashKey] = NoHash });
            // The hash covers the whole file, its own place counted as zeros.
            var place = FindHash(file);
            file.Position = 0;
            var hash = Convert.ToHexStringLower(SHA256.HashData(file));
            file.Position = place;
            file.Write(Encoding.ASCII.GetBytes(hash));
            file.Flush(flushToDisk: true);
        }
        if (File.Exists(Newest)) File.Move(Newest, Previous, overwrite: true);
        File.Move(temporary, Newest, overwrite: true);
    }

    /// <summary>Reads the newest checkpoint that is sound; null when there is none at all.</summary>
    /// <exception cref="InvalidDataException">There are checkpoints, and all are broken.</exception>
    public (Dictionary<string, torch.Tensor> Tensors, TrainingPosition Position)? Load()
    {
        var problems = new List<string>();
        foreach (var path in new[] { Newest, Previous }.Where(File.Exists))
        {
            try
            {
                return Read(path);
            }
            catch (InvalidDataException error)
            {
                problems.Add($"{Path.GetFileName(path)}: {error.Message}");
            }
        }
        return problems.Count == 0 ? null
            : throw new InvalidDataException($"No checkpoint in the run's folder can be read ({string.Join("; ", problems)}). Delete them to train from the start.");
    }

    private static (Dictionary<string, torch.Tensor>, TrainingPosition) Read(string path)
    {
        Verify(path);
        var (tensors, metadata) = Safetensors.Read(path);
        try
        {
            if (!metadata.TryGetValue(PositionKey, out var position)) throw new InvalidDataException("it holds no position; it was not written by this pipeline");
            return (tensors, TrainingPosition.FromJson(position));
        }
        catch
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
            throw;
        }
    }

    private static void Verify(string path)
    {
        using var file = File.OpenRead(path);
        var place = FindHash(file);
        var written = new byte[NoHash.Length];
        file.Position = place;
        file.ReadExactly(written);

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        file.Position = 0;
        for (long at = 0; file.Read(buffer) is > 0 and var read; at += read)
        {
            for (var i = Math.Max(at, place); i < Math.Min(at + read, place + NoHash.Length); i++) buffer[i - at] = (byte)'0';
            hash.AppendData(buffer, 0, read);
        }
        if (!string.Equals(Convert.ToHexStringLower(hash.GetHashAndReset()), Encoding.ASCII.GetString(written), StringComparison.Ordinal))
            throw new InvalidDataException("its content does not match its hash; it is damaged");
    }

    private static long FindHash(FileStream file)
    {
        Span<byte> lengthBytes = stackalloc byte[8];
        file.Position = 0;
        var length = file.Length >= 8 && file.ReadAtLeast(lengthBytes, 8, throwOnEndOfStream: false) == 8 ? BinaryPrimitives.ReadInt64LittleEndian(lengthBytes) : -1;
        if (length < 0 || length > Math.Min(file.Length - 8, 100_000_000)) throw new InvalidDataException("it ends too early; it is damaged");
        var header = new byte[length];
        file.ReadExactly(header);
        var marker = header.AsSpan().IndexOf(HashMarker);
        if (marker < 0 || marker + HashMarker.Length + NoHash.Length > header.Length) throw new InvalidDataException("it holds no hash; it was not written by this pipeline");
        return 8 + marker + HashMarker.Length;
    }
}
