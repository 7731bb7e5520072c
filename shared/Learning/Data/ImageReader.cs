using DmlPipeline.Imaging;

namespace DmlPipeline.Learning.Data;

/// <summary>Reads, decodes and resizes one image of a set into channel-row-column bytes.</summary>
internal sealed class ImageReader(ImageShape shape, IReadOnlyList<string> classOfImage, Func<int, byte[]> readFile, Func<int, string>? nameOfImage)
{
    public void Read(int index, Span<byte> chw)
    {
        Image image;
        try
        {
            image = ImageDecoder.Decode(readFile(index), shape.Channels, shape.Width, shape.Height, ImageLimits.Default);
            if (image.Width != shape.Width || image.Height != shape.Height) image = ImageResizer.Resize(image, shape.Width, shape.Height);
        }
        catch (ImageException error)
        {
            var name = nameOfImage is null ? $"Image {index}" : $"Image {nameOfImage(index)}";
            throw new InvalidDataException(
                $"{name} of the class '{classOfImage[index]}' cannot be read: {error.Message.TrimEnd('.')}. Replace or remove it and prepare the dataset again.", error);
        }
        ToPlanes(image.Pixels, shape.Channels, chw);
    }

    /// <summary>Interleaved pixels to one plane per channel.</summary>
    private static void ToPlanes(ReadOnlySpan<byte> interleaved, int channels, Span<byte> planes)
    {
        if (channels == 1)
        {
            interleaved[..planes.Length].CopyTo(planes);
            return;
        }
        var area = planes.Length / channels;
        for (var c = 0; c < channels; c++)
        {
            var plane = planes.Slice(c * area, area);
            for (int i = 0, from = c; i < plane.Length; i++, from += channels) plane[i] = interleaved[from];
        }
    }
}
