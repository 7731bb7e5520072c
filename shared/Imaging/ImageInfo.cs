namespace DmlPipeline.Imaging;

/// <summary>What an image file's header says, before any pixel is decoded.</summary>
/// <param name="Format">By the first bytes.</param>
/// <param name="Width">Pixels, after the EXIF orientation is applied.</param>
/// <param name="Height">Pixels, after the EXIF orientation is applied.</param>
/// <param name="Channels">1 when the file holds grey levels, 3 when it holds colours.</param>
/// <param name="HasAlpha">Whether the file holds transparency of any kind.</param>
/// <param name="BitDepth">Bits per sample as stored (palette: bits per index).</param>
/// <param name="Orientation">EXIF orientation 1-8; 1 where the file has none.</param>
public sealed record ImageInfo(ImageFormat Format, int Width, int Height, int Channels, bool HasAlpha, int BitDepth, int Orientation);
