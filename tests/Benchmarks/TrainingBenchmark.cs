using System.Diagnostics;
using System.Globalization;
using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Models;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;

namespace DmlPipeline.Benchmarks;

/// <summary>Trains on a zip of class folders (Omniglot's layout) or on noise, and says how fast, in how much memory, and how good on unseen classes.</summary>
/// <remarks>
/// usage: training [ZIP] [--recipe NAME|FILE] [--test FOLDER,FOLDER…] [--colour] [--set YAML]…
/// With a zip, the top folders named by --test are held out; by default the six that the peer script holds out. --colour says that the images are
/// photographs and not dark drawings. --set adds recipe lines, such as --set "budget: 60s". Without a zip: 2,000 steps on noise.
/// </remarks>
public static class TrainingBenchmark
{
    public static int Run(string[] args)
    {
        var zip = args.Length > 0 && !args[0].StartsWith("--", StringComparison.Ordinal) ? args[0] : null;
        var recipe = Recipe(args, zip is null);
        var folder = Directory.CreateTempSubdirectory("dml-training-benchmark-").FullName;
        try
        {
            using var train = zip is null ? Noise(SpecOfRecipe.Shape(recipe)) : HeldOutFolders.Load(zip, SpecOfRecipe.Shape(recipe), Held(args), isHeld: false);
            using var test = zip is null ? null : HeldOutFolders.Load(zip, SpecOfRecipe.Shape(recipe), Held(args), isHeld: true);
            Console.WriteLine($"train {train.Count} images, {train.ClassNames.Length} classes; test {test?.Count ?? 0} images, {test?.ClassNames.Length ?? 0} unseen classes");

            var (start, cpu) = (Stopwatch.GetTimestamp(), Process.GetCurrentProcess().TotalProcessorTime);
            var images = 0L;
            var perStep = recipe.Sampler.Classes!.Value * recipe.Sampler.ImagesPerClass!.Value;
            var outcome = TrainingLoop.Run(
                new TrainingJob { Recipe = recipe, Train = train, Validation = test, Folder = folder, Progressed = p => Report(p, ref images, perStep) },
                CancellationToken.None);

            var wall = Stopwatch.GetElapsedTime(start).TotalSeconds;
            var used = (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{images} images in {wall:F0} s: {images / wall:F0} images/s, {images / used:F0} images/CPU-s (validation included); RSS {Environment.WorkingSet >> 20} MiB, at most {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB; recall@1 {outcome.Best?.ValidationRecall1:F4}, MAP@R {outcome.Best?.ValidationMapAtR:F4}"));
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Report(TrainingProgress progress, ref long images, int perStep)
    {
        images = progress.Step * perStep;
        if (progress.Step % 500 < 12 || progress.Fraction >= 1)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"epoch {progress.Epoch} step {progress.Step} loss {progress.Loss:F4} recall@1 {progress.ValidationRecall1:F4} {progress.ImagesPerSecond:F0} images/s waited {progress.WaitedShare:P1} RSS {Environment.WorkingSet >> 20} MiB"));
    }

    private static TrainingRecipe Recipe(string[] args, bool noise)
    {
        var name = Option(args, "--recipe") ?? "default";
        var text = File.Exists(name) ? File.ReadAllText(name) : RecipeFile.BuiltInText(name);
        var more = args.Index().Where(arg => arg.Item == "--set").Select(arg => args[arg.Index + 1]).ToList();
        if (noise) more.AddRange(new[] { "epochs: 20", "steps_per_epoch: 100" }.Where(line => !more.Exists(given => given.Split(':')[0] == line.Split(':')[0])));
        // A key given again replaces the recipe's own.
        var keys = more.Select(line => line.Split(':')[0]).ToHashSet(StringComparer.Ordinal);
        if (keys.Overlaps(["epochs", "budget"])) keys.UnionWith(["epochs", "budget"]);
        var kept = text.Split('\n').Where(line => !keys.Contains(line.Split(':')[0]));
        var recipe = RecipeFile.Parse(string.Join('\n', kept.Concat(more)), name);
        var colour = args.Contains("--colour", StringComparer.Ordinal);
        return DatasetDefaults.Resolve(recipe, new DatasetFacts(colour ? 0 : 1, 105, 105, DarkOnLight: !colour, TrainClasses: colour ? 7 : 700, TrainImages: 14_000));
    }

    private static string[] Held(string[] args) => (Option(args, "--test") ?? HeldOutFolders.OfPeersScript).Split(',');

    private static ImageSet Noise(ImageShape shape)
    {
        var pixels = new byte[6400 * shape.Bytes];
        new Random(1).NextBytes(pixels);
        return ImageSet.FromPixels(shape, [.. Enumerable.Range(0, 6400).Select(i => $"class {i / 20}")], pixels);
    }

    private static string? Option(string[] args, string name) => Array.IndexOf(args, name) is >= 0 and var at ? args[at + 1] : null;
}
