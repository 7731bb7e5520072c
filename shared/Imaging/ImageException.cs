namespace DmlPipeline.Imaging;

/// <summary>The image cannot be used; the message is a phrase fit for the person who supplied the file.</summary>
public sealed class ImageException(string message) : Exception(message);
