namespace DmlPipeline.Imaging;

/// <summary>The file formats that can be decoded, told apart by their first bytes and never by a file's name.</summary>
public enum ImageFormat
{
    Jpeg,
    Png,
    WebP,
}
