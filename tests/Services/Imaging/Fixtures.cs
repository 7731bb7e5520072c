using System.Text.Json;
using DmlPipeline.Imaging;

namespace DmlPipeline.Tests.Services.Imaging;

/// <summary>The checked-in images of make_fixtures.py and the pixels that they must decode to.</summary>
internal static class Fixtures
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Imaging", "Fixtures");

    public static IReadOnlyDictionary<string, ExpectedImage> Expected { get; } =
        JsonSerializer.Deserialize<Dictionary<string, ExpectedImage>>(Bytes("expected.json"), JsonSerializerOptions.Web)!;

    public static byte[] Bytes(string name) => File.ReadAllBytes(Path.Combine(Folder, name));

    public static Image Decode(string name, int channels) => ImageDecoder.Decode(Bytes(name), channels, 0, 0, ImageLimits.Default);

    public static int LargestDifference(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        a.Length.ShouldBe(b.Length);
        var largest = 0;
        for (var i = 0; i < a.Length; i++) largest = Math.Max(largest, Math.Abs(a[i] - b[i]));
        return largest;
    }

    public sealed record ExpectedImage(int Width, int Height, byte[] Rgb, byte[] Grey);
}
