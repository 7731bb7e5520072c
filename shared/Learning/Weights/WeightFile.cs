using System.Buffers.Binary;
using DmlPipeline.Torch;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Weights;

/// <summary>Named tensors from a file of any of the usual formats. Whatever a file says, nothing in it is run.</summary>
public static class WeightFile
{
    /// <summary>Reads safetensors, or what torch.save writes (.pth, .pt, .bin): zip archives, and the older format before PyTorch 1.6.</summary>
    /// <returns>The tensors by name, in the processor's memory and the current dispose scope, and whether the file is a model of this pipeline.</returns>
    /// <exception cref="WeightException">There is no such file, it is broken, or it holds something else than tensors.</exception>
    public static (Dictionary<string, Tensor> Tensors, bool IsOwnModel) Read(string path)
    {
        var name = Path.GetFileName(path);
        try
        {
            using var file = File.OpenRead(path);
            return Read(file);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new WeightException($"There is no file of weights '{path}'. Paths are relative to the folder that the program was started in.", error);
        }
        catch (EndOfStreamException error)
        {
            throw new WeightException($"The weights in {name} cannot be read: the file ends too early.", error);
        }
        catch (Exception error) when (error is WeightException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new WeightException($"The weights in {name} cannot be read: {error.Message.TrimEnd('.')}.", error);
        }
    }

    /// <summary>As <see cref="Read(string)"/>, from a stream that can seek; errors do not name a file.</summary>
    internal static (Dictionary<string, Tensor> Tensors, bool IsOwnModel) Read(Stream file)
    {
        Span<byte> start = stackalloc byte[9];
        var count = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        file.Position = 0;
        if (count < start.Length) throw new WeightException("the file is empty or nearly so");
        // A header's length and the brace that follows it: the other two formats have other bytes in these places.
        if (BinaryPrimitives.ReadUInt64LittleEndian(start) <= SafetensorsHeader.MaxLength && start[8] == '{')
        {
            var (tensors, metadata) = Safetensors.Read(file);
            return (tensors, metadata.ContainsKey("spec"));
        }
        if (start.StartsWith("PK"u8)) return (TorchArchive.Read(file), false);
        if (start[0] == 0x80) return (TorchLegacyFile.Read(file), false);
        throw new WeightException("it is neither safetensors nor a file of torch.save");
    }
}
