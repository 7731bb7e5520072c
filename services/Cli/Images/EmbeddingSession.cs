using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Learning.Models;
using DmlPipeline.Torch;
using TorchSharp;

namespace DmlPipeline.Cli.Images;

/// <summary>Rows of unit length, [Rows, Dimension] row-major.</summary>
internal sealed record Embeddings(float[] Values, int Dimension)
{
    public int Rows => Values.Length / Dimension;
}

/// <summary>A loaded model on its own torch thread.</summary>
internal sealed class EmbeddingSession : IDisposable
{
    // 1 GiB of decoded images; larger sets are decoded as they are embedded.
    private const long ImageCacheBytes = 1L << 30;
    private const int BatchSize = 256;

    private readonly TorchThread thread;
    private readonly EmbeddingModel model;
    private readonly LiveLine live;

    private EmbeddingSession(TorchThread thread, EmbeddingModel model, LiveLine live)
    {
        this.thread = thread;
        this.model = model;
        this.live = live;
    }

    public int Dimension => model.Spec.EmbeddingSize;

    public static async Task<EmbeddingSession> Load(ModelReference reference, LiveLine live)
    {
        live.Update($"loading    {reference.Name}");
        var torch = new TorchThread(threads: 0);
        try
        {
            return new EmbeddingSession(torch, await torch.Run(() => Load(reference.Weights)), live);
        }
        catch (Exception e)
        {
            torch.Dispose();
            if (e is InvalidDataException) throw new CliException($"{reference.Weights} cannot be used: {e.Message}", e);
            throw;
        }
    }

    public async Task<Embeddings> Embed(IReadOnlyList<string> classOfImage, Func<int, byte[]> read, Func<int, string> name, CancellationToken cancel)
    {
        var values = await thread.Run(() =>
        {
            using var set = LoadImages(classOfImage, read, name, cancel);
            return Embedder.Embed(model, set, BatchSize, done => Progress("embedding", done, set.Count), cancel);
        });
        live.Clear();
        return new Embeddings(values, Dimension);
    }

    public async Task<EvaluationOutcome> Evaluate(ImageSource images, EvaluationOptions options, CancellationToken cancel)
    {
        var outcome = await thread.Run(() =>
        {
            using var set = LoadImages(images.ClassOfImage, images.Read, images.Name, cancel);
            return Evaluator.Evaluate(model, set, options, (step, share) => live.Update($"evaluating {Show.Bar(share)} {step}"), cancel);
        });
        live.Clear();
        return outcome;
    }

    /// <summary>The pixels themselves as rows of unit length, in the shape that the model looks at.</summary>
    /// <param name="images">The images.</param>
    /// <param name="invert">Whether to turn black and white round; null for whether most images are dark on light.</param>
    /// <param name="cancel">Stops the decoding.</param>
    public async Task<(Embeddings Pixels, bool Inverted)> RawPixels(ImageSource images, bool? invert, CancellationToken cancel)
    {
        var (values, dimension, inverted) = await thread.Run(() =>
        {
            using var set = LoadImages(images.ClassOfImage, images.Read, images.Name, cancel);
            var turned = invert ?? Learning.Evaluation.RawPixels.IsDarkOnLight(set);
            var (pixels, size) = Learning.Evaluation.RawPixels.Embed(set, turned, cancel);
            return (pixels, size, turned);
        });
        live.Clear();
        return (new Embeddings(values, dimension), inverted);
    }

    /// <summary>Work with torch, on the thread that torch has to itself.</summary>
    public async Task<T> Compute<T>(string step, Func<T> work)
    {
        live.Update(step);
        var result = await thread.Run(work);
        live.Clear();
        return result;
    }

    /// <summary>The K nearest known rows of every wanted one.</summary>
    public Task<Neighbours> Nearest(Embeddings wanted, Embeddings known, int k, CancellationToken cancel) =>
        thread.Run(() => NearestNeighbours.TopK(wanted.Values, known.Values, Dimension, k, excludeSelf: false, cancel));

    public void Dispose()
    {
        model.Dispose();
        thread.Dispose();
    }

    private static EmbeddingModel Load(string weights)
    {
        var loaded = EmbeddingModel.Load(weights);
        if (TorchSharp.torch.cuda.is_available()) loaded.to(TorchSharp.torch.CUDA);
        return loaded;
    }

    private ImageSet LoadImages(IReadOnlyList<string> classOfImage, Func<int, byte[]> read, Func<int, string> name, CancellationToken cancel) => ImageSet.Load(
        model.Spec.Input, classOfImage, read, name, ImageCacheBytes, Environment.ProcessorCount, done => Progress("decoding", done, classOfImage.Count), cancel);

    private void Progress(string step, int done, int count) =>
        live.Update($"{step,-10} {Show.Bar((double)done / count)} {Show.Count(done)} of {Show.Count(count, "image")}");
}
