using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;

namespace DmlPipeline.Tests.Torch.Learning.Training;

/// <summary>Eight kinds of simple shapes, shifted and noisy, drawn in code: data that a network learns in seconds.</summary>
internal static class NoisyShapes
{
    private const int Side = 16;

    public static ImageSet Draw(int[] kinds, int imagesPerKind, int seed)
    {
        var random = new Random(seed);
        var shape = new ImageShape(1, Side, Side);
        var pixels = new byte[kinds.Length * imagesPerKind * shape.Bytes];
        var classes = new List<string>();
        foreach (var kind in kinds)
        {
            for (var i = 0; i < imagesPerKind; i++)
            {
                var (dx, dy) = (random.Next(-3, 4), random.Next(-3, 4));
                var image = pixels.AsSpan(classes.Count * shape.Bytes, shape.Bytes);
                for (var y = 0; y < Side; y++)
                    for (var x = 0; x < Side; x++)
                        image[(y * Side) + x] = (byte)Math.Clamp((Inside(kind, x - 8 - dx, y - 8 - dy) ? 160 : 50) + random.Next(-50, 51), 0, 255);
                classes.Add($"kind {kind}");
            }
        }
        return ImageSet.FromPixels(shape, classes, pixels);
    }

    /// <summary>A recipe for these shapes that takes seconds.</summary>
    public static TrainingRecipe Recipe(string more = "") => RecipeFile.Parse(
        $"""
        backbone: conv4
        embedding_size: 16
        image: {"{size: 16, channels: 1, invert: false}"}
        {(more.Contains("sampler:", StringComparison.Ordinal) ? "" : "sampler: {classes: 4, images_per_class: 4}")}
        augmentation: {"{translate: 0.1}"}
        threads: 1
        seed: 3
        {(more.Contains("epochs", StringComparison.Ordinal) || more.Contains("budget", StringComparison.Ordinal) ? "" : "epochs: 3")}
        {more}
        """, "test");

    public static TrainingJob Job(string folder, TrainingRecipe recipe, bool validated = true) => new()
    {
        Recipe = recipe,
        Train = Draw([0, 1, 2, 3, 4, 5], 16, seed: 1),
        Validation = validated ? Draw([6, 7, 8, 9], 16, seed: 2) : null,
        Folder = folder,
        Device = "cpu",
    };

    private static bool Inside(int kind, int x, int y) => kind switch
    {
        0 => Math.Abs(x) < 4 && Math.Abs(y) < 4,
        1 => (x * x) + (y * y) < 18,
        2 => Math.Abs(x) < 2,
        3 => Math.Abs(y) < 2,
        4 => Math.Abs(x - y) < 2,
        5 => Math.Abs(x + y) < 2,
        6 => (x * x) + (y * y) is > 9 and < 30,
        7 => Math.Abs(x) < 2 || Math.Abs(y) < 2,
        8 => Math.Abs(x - y) < 2 || Math.Abs(x + y) < 2,
        _ => y > 0,
    };
}
