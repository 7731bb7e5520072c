using System.Runtime.InteropServices;
using DmlPipeline.Imaging.Native;

namespace DmlPipeline.Imaging;

/// <summary>Writes 8-bit grey or RGB PNG files through libspng; equal pixels give equal files.</summary>
public static class PngEncoder
{
    /// <exception cref="InvalidOperationException">libspng refused the image.</exception>
    public static unsafe byte[] Encode(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var context = Spng.New(Spng.EncoderContext);
        if (context == 0) throw new InvalidOperationException("libspng could not make an encoder: the machine is out of memory.");
        try
        {
            var header = new Spng.Header { Width = (uint)image.Width, Height = (uint)image.Height, BitDepth = 8, ColourType = (byte)(image.Channels == 1 ? 0 : 2) };
            Check(Spng.SetHeader(context, &header));
            Check(Spng.SetOption(context, Spng.OptionEncodeToBuffer, 1));
            fixed (byte* pixels = image.Pixels)
                Check(Spng.EncodeImage(context, pixels, (nuint)image.Pixels.Length, Spng.FormatAsHeader, Spng.EncodeFinalize));

            nuint size;
            int error;
            var encoded = Spng.GetBuffer(context, &size, &error);
            Check(error);
            var file = new ReadOnlySpan<byte>(encoded, checked((int)size)).ToArray();
            NativeMemory.Free(encoded);
            return file;
        }
        finally
        {
            Spng.Free(context);
        }
    }

    private static void Check(int status)
    {
        if (status != 0) throw new InvalidOperationException($"libspng cannot encode the image: {Spng.Error(status)}");
    }
}
