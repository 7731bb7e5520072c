using System.Security.Cryptography;
using DmlPipeline.Learning.Models;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Weights;

/// <summary>Puts weights that were trained elsewhere into a model's backbone.</summary>
public static class PretrainedWeights
{
    private const string Backbone = "backbone.", Counter = "num_batches_tracked";

    /// <summary>Reads a file and copies what fits. A model of this pipeline also gives its pooling and head, where they fit.</summary>
    /// <param name="model">The model whose weights are replaced.</param>
    /// <param name="path">Safetensors, or what torch.save writes.</param>
    /// <param name="blueFirst">The file's first convolution takes blue, green and red, as Caffe's do.</param>
    /// <exception cref="WeightException">The file cannot be read, or does not fill the whole backbone: the model's weights are partly replaced then.</exception>
    public static WeightReport Load(EmbeddingModel model, string path, bool blueFirst = false)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var (tensors, isOwnModel) = WeightFile.Read(path);
        var report = Copy(tensors, model, blueFirst && !isOwnModel) with { File = Path.GetFileName(path), Sha256 = Hash(path) };
        if (report.IsComplete) return report;
        throw new WeightException(
            $"The weights do not fit the backbone {model.Spec.Backbone}: {report.Missing.Count} of its tensors are missing and {report.Mismatched.Count} have another shape. "
            + $"Use a file that was saved from that network, or name the one that it was saved from as 'backbone'.\n{report.ToText()}");
    }

    private static string Hash(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private static WeightReport Copy(Dictionary<string, Tensor> file, EmbeddingModel model, bool blueFirst)
    {
        var state = model.state_dict();
        var wanted = state.Where(entry => entry.Key.StartsWith(Backbone, StringComparison.Ordinal)).ToDictionary(entry => entry.Key[Backbone.Length..], entry => entry.Value, StringComparer.Ordinal);
        var prefix = WeightNames.Prefix(file.Keys, wanted.Keys);
        var firstConvolution = wanted.First(entry => entry.Value.ndim == 4).Key;
        var (matched, adapted, missing, mismatched) = (new List<string>(), new List<string>(), new List<string>(), new List<string>());
        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (key, target) in wanted)
        {
            if (!file.TryGetValue(prefix + key, out var value))
            {
                // Files from before PyTorch 0.4.1 do not count batches, and nothing here depends on the count.
                if (!key.EndsWith(Counter, StringComparison.Ordinal)) missing.Add(key);
                continue;
            }
            used.Add(prefix + key);
            if (blueFirst && key == firstConvolution && value.ndim == 4 && value.shape[1] == 3)
            {
                value = value.flip(1);
                adapted.Add($"{key} turned to red first");
            }
            if (!Fill(key, target, value)) mismatched.Add($"{key} [{string.Join(", ", value.shape)}] instead of [{string.Join(", ", target.shape)}]");
        }
        if (prefix == Backbone)
            foreach (var (key, target) in state.Where(entry => !entry.Key.StartsWith(Backbone, StringComparison.Ordinal)))
                if (file.TryGetValue(key, out var value) && Fill(key, target, value)) used.Add(key);
        return new WeightReport("", "", prefix, matched, adapted, missing, mismatched, [.. file.Keys.Where(key => !used.Contains(key))]);

        bool Fill(string key, Tensor target, Tensor value)
        {
            if (WeightFitting.Fit(value, target.shape) is not { } fitted) return false;
            target.copy_(fitted.Value); // converts from any element type
            matched.Add(key);
            if (fitted.How is { } how) adapted.Add($"{key} {how}");
            return true;
        }
    }
}
