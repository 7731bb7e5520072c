using DmlPipeline.Learning.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Evaluation;

/// <summary>Runs a model over a set of images.</summary>
public static class Embedder
{
    /// <summary>The embeddings of all images, [N, D] row-major, computed in evaluation mode without gradients; the model's mode is put back afterwards.</summary>
    /// <param name="model">Takes [B, C, H, W] bytes and gives [B, D].</param>
    /// <param name="set">The images.</param>
    /// <param name="batchSize">Images per forward pass.</param>
    /// <param name="done">Told how many images are done after every batch.</param>
    /// <param name="cancel">Stops between batches.</param>
    public static float[] Embed(nn.Module<Tensor, Tensor> model, ImageSet set, int batchSize, Action<int>? done, CancellationToken cancel)
    {
        if (set.Count == 0) return [];
        if (batchSize < 1) throw new ArgumentOutOfRangeException(nameof(batchSize), batchSize, "A batch needs at least one image.");
        var wasTraining = model.training;
        model.eval();
        try
        {
            using var inference = inference_mode();
            var device = model.parameters().FirstOrDefault()?.device ?? CPU;
            float[]? embeddings = null;
            for (var first = 0; first < set.Count; first += batchSize)
            {
                cancel.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                var count = Math.Min(batchSize, set.Count - first);
                var output = model.call(Pixels(set, first, count, device)); // [B, C, H, W] -> [B, D]
                if (output.ndim != 2 || output.shape[0] != count)
                    throw new InvalidOperationException($"The model made [{string.Join(", ", output.shape)}] of {count} images; an embedding model makes [{count}, D].");
                embeddings ??= new float[checked(set.Count * output.shape[1])];
                output.to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray().CopyTo(embeddings, first * output.shape[1]);
                done?.Invoke(first + count);
            }
            return embeddings!;
        }
        finally
        {
            model.train(wasTraining);
        }
    }

    private static Tensor Pixels(ImageSet set, int first, int count, Device device)
    {
        var bytes = new byte[count * set.Shape.Bytes];
        if (set.IsCached)
        {
            for (var i = 0; i < count; i++) Copy(i);
        }
        else
        {
            // Decoding costs more than copying: let every core decode.
            Parallel.For(0, count, Copy);
        }
        return tensor(bytes, [count, set.Shape.Channels, set.Shape.Height, set.Shape.Width]).to(device);

        void Copy(int i) => set.CopyPixels(first + i, bytes.AsSpan(i * set.Shape.Bytes, set.Shape.Bytes));
    }
}
