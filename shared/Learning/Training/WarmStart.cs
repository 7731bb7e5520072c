using System.Security.Cryptography;
using DmlPipeline.Learning.Models;
using DmlPipeline.Learning.Weights;
using DmlPipeline.Torch;

namespace DmlPipeline.Learning.Training;

/// <summary>Takes over all weights of an earlier model of the same network.</summary>
internal static class WarmStart
{
    /// <returns>SHA-256 of the file.</returns>
    /// <exception cref="WeightException">It is no model of this pipeline, or one of another network.</exception>
    public static string Load(EmbeddingModel model, string path)
    {
        try
        {
            var (tensors, metadata) = Safetensors.Read(path);
            try
            {
                if (!metadata.ContainsKey("spec")) throw new WeightException($"{Path.GetFileName(path)} was not written by this pipeline: begin with it as 'pretrained' instead of 'warm_start'.");
                model.LoadWeights(tensors, Path.GetFileName(path));
            }
            finally
            {
                foreach (var tensor in tensors.Values) tensor.Dispose();
            }
            using var file = File.OpenRead(path);
            return Convert.ToHexStringLower(SHA256.HashData(file));
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new WeightException($"The training cannot begin with {path}: {e.Message} Train from scratch, or with the recipe of that model.", e);
        }
    }
}
