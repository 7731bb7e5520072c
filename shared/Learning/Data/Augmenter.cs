namespace DmlPipeline.Learning.Data;

/// <summary>
/// Changes images at random as an <see cref="Augmentation"/> allows: geometry (one bilinear pass), then erasing, then colour.
/// What happens to an image depends only on (seed, step, place in the batch). Holds scratch memory: one per thread.
/// </summary>
public sealed class Augmenter(ImageShape shape, Augmentation augmentation)
{
    private readonly AffineSampler sampler = new(shape);
    private readonly byte[] paper = new byte[shape.Channels];
    private readonly byte[] levels = new byte[256];

    private readonly ElasticWarp? warp = augmentation.Elastic > 0 ? new ElasticWarp(shape) : null;
    private readonly float stretch = (float)(augmentation.Stretch ?? 0);
    private readonly bool moves = augmentation is not { Rotate: 0, Scale: 0, Translate: 0, Shear: 0 } || augmentation.Stretch > 0 || augmentation.Elastic > 0;
    private readonly bool cuts = augmentation.Crop > 0;

    /// <summary>Writes the changed image to <paramref name="target"/>; both are channel-row-column bytes of the shape.</summary>
    public void Apply(ReadOnlySpan<byte> source, Span<byte> target, long seed, long step, int index)
    {
        if (augmentation.IsOff)
        {
            source.CopyTo(target);
            return;
        }

        var random = new CounterRandom(seed, step, index);
        // Drawn even when it is not needed, so that switching one change on does not change the others.
        var map = DrawMap(ref random);
        var erases = random.NextFloat() < augmentation.Erase;
        var (eraseArea, eraseRatio, eraseX, eraseY) = (random.NextFloat(), random.NextFloat(), random.NextFloat(), random.NextFloat());
        var brightness = 1 + (float)augmentation.Brightness * random.Between(-1, 1);
        var contrast = 1 + (float)augmentation.Contrast * random.Between(-1, 1);
        var saturation = 1 + (float)augmentation.Saturation * random.Between(-1, 1);

        if (stretch > 0) map = map.Then(AffineMap.Stretch(shape, MathF.Exp(MathF.Log(1 + stretch) * random.Between(-1, 1))));
        warp?.Draw(ref random, (float)augmentation.Elastic!.Value);

        EstimatePaper(source);
        if (map == AffineMap.Identity && warp is null) source.CopyTo(target);
        else sampler.Sample(source, target, map, paper, bordered: moves, warp);

        if (erases) Erase(target, eraseArea, eraseRatio, eraseX, eraseY);
        if (augmentation.Brightness > 0 || augmentation.Contrast > 0) ColourJitter.BrightnessAndContrast(target, shape.Channels, brightness, contrast, levels);
        if (augmentation.Saturation > 0 && shape.Channels == 3) ColourJitter.Saturation(target, saturation);
    }

    /// <summary>Where in the source each pixel of the target comes from.</summary>
    private AffineMap DrawMap(ref CounterRandom random)
    {
        var angle = (float)augmentation.Rotate * random.Between(-1, 1);
        var zoom = 1 + (float)augmentation.Scale * random.Between(-1, 1);
        var shiftX = (float)augmentation.Translate * shape.Width * random.Between(-1, 1);
        var shiftY = (float)augmentation.Translate * shape.Height * random.Between(-1, 1);
        var slant = (float)augmentation.Shear * random.Between(-1, 1);
        var flips = random.NextFloat() < augmentation.Flip;
        var (cutArea, cutRatio, cutX, cutY) = (random.NextFloat(), random.NextFloat(), random.NextFloat(), random.NextFloat());

        var map = AffineMap.Identity;
        if (moves) map = AffineMap.Move(shape, angle, zoom, slant, shiftX, shiftY);
        if (cuts)
        {
            var area = 1 - ((float)augmentation.Crop * cutArea);
            var ratio = MathF.Exp(MathF.Log(4f / 3) * ((2 * cutRatio) - 1));
            var width = MathF.Min(1, MathF.Sqrt(area * ratio));
            var height = MathF.Min(1, MathF.Sqrt(area / ratio));
            map = map.Then(AffineMap.Cut(shape, cutX * (1 - width), cutY * (1 - height), width, height));
        }
        return flips ? map.Then(AffineMap.Mirror(shape)) : map;
    }

    /// <summary>The paper's colour, guessed from the corners: the mean of the middle two of the four.</summary>
    private void EstimatePaper(ReadOnlySpan<byte> source)
    {
        var area = shape.Height * shape.Width;
        for (var c = 0; c < paper.Length; c++)
        {
            var plane = source.Slice(c * area, area);
            int a = plane[0], b = plane[shape.Width - 1], d = plane[area - shape.Width], e = plane[area - 1];
            var lowest = Math.Min(Math.Min(a, b), Math.Min(d, e));
            var highest = Math.Max(Math.Max(a, b), Math.Max(d, e));
            paper[c] = (byte)((a + b + d + e - lowest - highest + 1) / 2);
        }
    }

    private void Erase(Span<byte> target, float area, float ratio, float x, float y)
    {
        var pixels = (0.02f + (0.18f * area)) * shape.Width * shape.Height;
        var aspect = MathF.Exp(MathF.Log(3) * ((2 * ratio) - 1));
        var width = Math.Clamp((int)MathF.Round(MathF.Sqrt(pixels * aspect)), 1, shape.Width);
        var height = Math.Clamp((int)MathF.Round(MathF.Sqrt(pixels / aspect)), 1, shape.Height);
        var left = (int)(x * (shape.Width - width + 1));
        var top = (int)(y * (shape.Height - height + 1));
        for (var c = 0; c < shape.Channels; c++)
            for (var row = top; row < top + height; row++)
                target.Slice((((c * shape.Height) + row) * shape.Width) + left, width).Fill(paper[c]);
    }
}
