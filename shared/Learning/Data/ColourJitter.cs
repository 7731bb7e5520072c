namespace DmlPipeline.Learning.Data;

/// <summary>Brightness, contrast and saturation of one image in place; channels in planes.</summary>
internal static class ColourJitter
{
    /// <summary>v -> mean' + contrast (v brightness - mean'), where mean' is the brightened image's mean grey.</summary>
    public static void BrightnessAndContrast(Span<byte> image, int channels, float brightness, float contrast, byte[] levels)
    {
        var offset = (1 - contrast) * brightness * MeanGrey(image, channels);
        var factor = contrast * brightness;
        for (var v = 0; v < levels.Length; v++) levels[v] = (byte)Math.Clamp((v * factor) + offset + 0.5f, 0, 255);
        for (var i = 0; i < image.Length; i++) image[i] = levels[image[i]];
    }

    /// <summary>v -> grey + saturation (v - grey).</summary>
    public static void Saturation(Span<byte> image, float saturation)
    {
        var area = image.Length / 3;
        var red = image[..area];
        var green = image.Slice(area, area);
        var blue = image.Slice(2 * area, area);
        var factor = (int)MathF.Round(saturation * 256);
        for (var i = 0; i < area; i++)
        {
            var grey = Grey(red[i], green[i], blue[i]);
            red[i] = Away(grey, red[i], factor);
            green[i] = Away(grey, green[i], factor);
            blue[i] = Away(grey, blue[i], factor);
        }
    }

    private static byte Away(int grey, int value, int factor) => (byte)Math.Clamp(grey + ((((value - grey) * factor) + 128) >> 8), 0, 255);

    // ITU-R BT.601 weights in 256ths.
    private static int Grey(int red, int green, int blue) => ((77 * red) + (150 * green) + (29 * blue) + 128) >> 8;

    private static float MeanGrey(ReadOnlySpan<byte> image, int channels)
    {
        var area = image.Length / channels;
        if (channels == 1) return (float)Sum(image) / area;
        return ((0.299f * Sum(image[..area])) + (0.587f * Sum(image.Slice(area, area))) + (0.114f * Sum(image.Slice(2 * area, area)))) / area;
    }

    private static long Sum(ReadOnlySpan<byte> values)
    {
        long sum = 0;
        foreach (var value in values) sum += value;
        return sum;
    }
}
