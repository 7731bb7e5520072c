using DmlPipeline.Cli.State;
using DmlPipeline.Torch;

namespace DmlPipeline.Cli.Images;

/// <summary>
/// Embeddings of dataset versions under <c>&lt;home&gt;/cache</c>, keyed by weights and content: both are immutable, so what is there is never
/// out of date. The folder may be deleted at any time.
/// </summary>
internal static class EmbeddingCache
{
    private const string Tensor = "embeddings";

    public static async Task<Embeddings> GetOrEmbed(HomeOrNone homes, ModelReference model, ImageSource images, Func<Task<Embeddings>> embed)
    {
        if (homes.Opened is not { } home || images.ContentKey is null) return await embed();
        var path = Path.Combine(home.Home.Path, "cache", $"{model.Sha256[..24]}-{images.ContentKey}.safetensors");
        if (Read(path, images.Count) is { } cached) return cached;
        var embeddings = await embed();
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var partial = $"{path}.{Environment.ProcessId}.partial";
        await using (var file = File.Create(partial)) Write(file, embeddings, new Dictionary<string, string>(StringComparer.Ordinal));
        File.Move(partial, path, overwrite: true);
        return embeddings;
    }

    public static void Write(Stream stream, Embeddings embeddings, IReadOnlyDictionary<string, string> metadata) => Safetensors.WriteFloats(
        stream,
        new Dictionary<string, (float[], long[])>(StringComparer.Ordinal) { [Tensor] = (embeddings.Values, [embeddings.Rows, embeddings.Dimension]) },
        metadata);

    private static Embeddings? Read(string path, int rows)
    {
        if (!File.Exists(path)) return null;
        try
        {
            var (values, shape) = Safetensors.ReadFloats(path).Arrays[Tensor];
            return shape[0] == rows ? new Embeddings(values, (int)shape[1]) : null;
        }
        catch (InvalidDataException)
        {
            // A damaged cache file is made again.
            return null;
        }
    }
}
