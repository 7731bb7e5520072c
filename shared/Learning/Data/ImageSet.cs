using System.Buffers;

namespace DmlPipeline.Learning.Data;

/// <summary>
/// Labelled images of one shape, as bytes in channel-row-column order. Decoded and resized once when they fit the cache, else whenever they are
/// asked for, with the same result. Images are squashed to the shape: their own aspect ratio is not kept. Thread-safe.
/// </summary>
public sealed class ImageSet : IDisposable
{
    // Arrays end at 2 GiB: larger caches are several arrays of whole images.
    private const long ChunkBytes = 1L << 30;

    private readonly ImageReader? reader;
    private readonly int imagesPerChunk;

    // A set of turned classes: image i is image i % Count of this one, laid in the (i / Count)-th way.
    private readonly ImageSet? turned;
    private readonly int[]? places;
    private byte[][]? cache;

    private ImageSet(ImageShape shape, IReadOnlyList<string> classOfImage, byte[][]? cache, int imagesPerChunk, ImageReader? reader, int[]? places = null)
    {
        this.places = places;
        Shape = shape;
        ClassNames = [.. classOfImage.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        var labelOf = ClassNames.Select((name, label) => (name, label)).ToDictionary(x => x.name, x => x.label, StringComparer.Ordinal);
        Labels = [.. classOfImage.Select(name => labelOf[name])];
        this.cache = cache;
        this.imagesPerChunk = imagesPerChunk;
        this.reader = reader;
    }

    private ImageSet(ImageSet turned, int ways)
    {
        this.turned = turned;
        Shape = turned.Shape;
        ClassNames = [.. Enumerable.Range(0, ways).SelectMany(way => turned.ClassNames.Select(name => name + SquareSymmetry.NameOf(way)))];
        Labels = [.. Enumerable.Range(0, ways).SelectMany(way => turned.Labels.Select(label => (way * turned.ClassNames.Length) + label))];
    }

    public ImageShape Shape { get; }

    public int Count => Labels.Length;

    /// <summary>The label of every image, 0 … ClassNames.Length-1.</summary>
    public int[] Labels { get; }

    /// <summary>Class names, in ordinal order unless classes were turned; the label is the place.</summary>
    public string[] ClassNames { get; }

    /// <summary>Whether all images lie decoded in memory.</summary>
    public bool IsCached => turned?.IsCached ?? reader is null;

    /// <summary>Images per class, by label.</summary>
    public int[] ImagesPerClass
    {
        get
        {
            var counts = new int[ClassNames.Length];
            foreach (var label in Labels) counts[label]++;
            return counts;
        }
    }

    /// <summary>Loads a set whose images have no names of their own; see the overload with names.</summary>
    public static ImageSet Load(
        ImageShape shape, IReadOnlyList<string> classOfImage, Func<int, byte[]> readFile, long cacheBytes, int threads, Action<int>? decoded, CancellationToken cancel) =>
        Load(shape, classOfImage, readFile, nameOfImage: null, cacheBytes, threads, decoded, cancel);

    /// <summary>Decodes all images on <paramref name="threads"/> threads when they fit <paramref name="cacheBytes"/>; else only remembers how to read them.</summary>
    /// <param name="shape">What every image becomes.</param>
    /// <param name="classOfImage">The class of every image; also says how many there are.</param>
    /// <param name="readFile">The bytes of an image file by index; called from several threads.</param>
    /// <param name="nameOfImage">The name of an image for error messages.</param>
    /// <param name="cacheBytes">How much memory decoded images may take.</param>
    /// <param name="threads">Decoding threads.</param>
    /// <param name="decoded">Told how many images are decoded so far, from any thread, about every hundredth of the set.</param>
    /// <param name="cancel">Stops loading.</param>
    /// <exception cref="InvalidDataException">An image cannot be decoded; the message names it and the reason.</exception>
    public static ImageSet Load(
        ImageShape shape, IReadOnlyList<string> classOfImage, Func<int, byte[]> readFile, Func<int, string>? nameOfImage,
        long cacheBytes, int threads, Action<int>? decoded, CancellationToken cancel)
    {
        if (shape.Channels is not (1 or 3) || shape.Height < 1 || shape.Width < 1)
            throw new ArgumentException($"Images cannot have the shape {shape}: it needs 1 or 3 channels and at least one row and column.");
        var files = new ImageReader(shape, classOfImage, readFile, nameOfImage);
        if ((long)shape.Bytes * classOfImage.Count > cacheBytes) return new ImageSet(shape, classOfImage, cache: null, imagesPerChunk: 1, files);

        var (cache, perChunk) = Allocate(shape, classOfImage.Count);
        var every = Math.Max(1, classOfImage.Count / 100);
        var done = 0;
        var options = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, threads), CancellationToken = cancel };
        try
        {
            Parallel.For(0, classOfImage.Count, options, index =>
            {
                files.Read(index, cache[index / perChunk].AsSpan(index % perChunk * shape.Bytes, shape.Bytes));
                var now = Interlocked.Increment(ref done);
                if (now % every == 0 || now == classOfImage.Count) decoded?.Invoke(now);
            });
        }
        catch (AggregateException several)
        {
            // Several threads may each meet a bad image: one sentence that names one image serves the reader better than a bundle.
            throw several.InnerExceptions.FirstOrDefault(e => e is InvalidDataException) ?? several.InnerExceptions[0];
        }
        return new ImageSet(shape, classOfImage, cache, perChunk, reader: null);
    }

    /// <summary>A set of images that are in memory already: <paramref name="pixels"/> holds them one after the other, in channel-row-column order.</summary>
    public static ImageSet FromPixels(ImageShape shape, IReadOnlyList<string> classOfImage, byte[] pixels)
    {
        if (pixels.LongLength != (long)shape.Bytes * classOfImage.Count)
            throw new ArgumentException($"{classOfImage.Count} images of {shape} are {(long)shape.Bytes * classOfImage.Count} bytes, not {pixels.LongLength}.");
        return new ImageSet(shape, classOfImage, [pixels], Math.Max(1, classOfImage.Count), reader: null);
    }

    /// <summary>
    /// This set and its images turned by quarters (and mirrored, for 8), each way of laying a class being a class of its own: more classes to
    /// learn from, which is what retrieval of unseen classes lacks (Santoro et al., ICML 2016, for Omniglot). It shares this set's pixels.
    /// </summary>
    /// <param name="ways">4 or 8.</param>
    /// <exception cref="ArgumentException">The images are not square.</exception>
    public ImageSet WithTurnedClasses(int ways)
    {
        if (ways is not (4 or SquareSymmetry.Count)) throw new ArgumentOutOfRangeException(nameof(ways), ways, "Classes are turned in 4 or 8 ways.");
        if (Shape.Height != Shape.Width) throw new ArgumentException($"Images of {Shape} are not square: a turned one would not fit.");
        return new ImageSet(this, ways);
    }

    /// <summary>Some of these images in that order, with labels of their own; the pixels are shared, not copied.</summary>
    public ImageSet Subset(IReadOnlyList<int> images) => new(
        Shape, [.. images.Select(i => ClassNames[Labels[i]])], cache, imagesPerChunk, reader, [.. images.Select(i => places is null ? i : places[i])]);

    /// <summary>Copies image <paramref name="index"/>, Shape.Bytes bytes.</summary>
    public void CopyPixels(int index, Span<byte> chw)
    {
        if ((uint)index >= (uint)Count) throw new ArgumentOutOfRangeException(nameof(index), index, $"The set has {Count} images.");
        if (chw.Length != Shape.Bytes) throw new ArgumentException($"An image of {Shape} needs {Shape.Bytes} bytes, not {chw.Length}.");
        if (turned is not null)
        {
            CopyTurned(index % turned.Count, index / turned.Count, chw);
            return;
        }
        var place = places is null ? index : places[index];
        if (reader is not null)
        {
            reader.Read(place, chw);
            return;
        }
        var chunks = cache ?? throw new ObjectDisposedException(nameof(ImageSet));
        chunks[place / imagesPerChunk].AsSpan(place % imagesPerChunk * Shape.Bytes, Shape.Bytes).CopyTo(chw);
    }

    private void CopyTurned(int index, int way, Span<byte> chw)
    {
        var upright = ArrayPool<byte>.Shared.Rent(Shape.Bytes);
        turned!.CopyPixels(index, upright.AsSpan(0, Shape.Bytes));
        SquareSymmetry.Lay(upright.AsSpan(0, Shape.Bytes), chw, Shape.Width, way);
        ArrayPool<byte>.Shared.Return(upright);
    }

    /// <summary>Lets go of the cached pixels; those of a set of turned classes belong to the set that it was made from.</summary>
    public void Dispose() => cache = null;

    private static (byte[][] Chunks, int ImagesPerChunk) Allocate(ImageShape shape, int count)
    {
        var perChunk = (int)Math.Clamp(ChunkBytes / shape.Bytes, 1, Math.Max(1, count));
        var chunks = new byte[(count + perChunk - 1) / perChunk][];
        for (var i = 0; i < chunks.Length; i++)
            chunks[i] = GC.AllocateUninitializedArray<byte>(Math.Min(perChunk, count - (i * perChunk)) * shape.Bytes);
        return (chunks, perChunk);
    }
}
