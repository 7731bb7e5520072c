using System.Text.Json.Nodes;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Evaluation;
using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Cli.Experiments;

/// <summary>A metric of one recipe: its mean over models or seeds, and how sure that is; the interval is null where there is one value only.</summary>
internal sealed record BenchmarkValue(double Mean, Interval? Interval, IReadOnlyList<double> Values);

/// <summary>What a recipe came to on the test classes, by metric.</summary>
/// <param name="Recipe">Its name.</param>
/// <param name="Dimension">Of one model's embeddings.</param>
/// <param name="Separated">Each model by itself, averaged.</param>
/// <param name="Concatenated">The embeddings of a seed's models side by side, as one.</param>
internal sealed record BenchmarkScore(string Recipe, int Dimension, IReadOnlyDictionary<string, BenchmarkValue> Separated, IReadOnlyDictionary<string, BenchmarkValue> Concatenated);

/// <summary>The Reality Check's two ways of judging a cross-validation on the test classes (Musgrave, Belongie and Lim 2020, section 3.3).</summary>
internal sealed class BenchmarkResult(BenchmarkPlan plan, IReadOnlyList<BenchmarkScore> scores, int testImages, int testClasses)
{
    /// <summary>Reads the embeddings of all jobs and judges them by the dataset's own rules.</summary>
    public static BenchmarkResult Judge(BenchmarkPlan plan, string folder, IReadOnlyList<DatasetSample> tested, EvaluationOptions options, LiveLine live, CancellationToken cancel)
    {
        var names = tested.Select(sample => sample.Class).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        int[] labels = [.. tested.Select(sample => Array.BinarySearch(names, sample.Class, StringComparer.Ordinal))];
        var how = options with { Protocol = SampleProtocol.Of(tested) };
        var scores = new List<BenchmarkScore>();
        foreach (var recipe in plan.Recipes.Keys)
        {
            live.Update($"judging    {recipe}");
            var separated = new List<IReadOnlyList<IReadOnlyDictionary<string, double>>>();
            var concatenated = new List<IReadOnlyDictionary<string, double>>();
            var dimension = 0;
            foreach (var seed in plan.Jobs.Where(job => job.Recipe == recipe).GroupBy(job => job.Seed))
            {
                var models = seed.Select(job => BenchmarkRun.Embeddings(folder, job)).ToList();
                dimension = models[0].Dimension;
                separated.Add([.. models.Select(model => Metrics(model.Values, model.Dimension))]);
                concatenated.Add(Metrics(SideBySide(models), dimension * models.Count));
            }
            scores.Add(new BenchmarkScore(recipe, dimension, Separated(separated), Concatenated(concatenated)));
        }
        live.Clear();
        return new BenchmarkResult(plan, scores, labels.Length, names.Length);

        IReadOnlyDictionary<string, double> Metrics(float[] embeddings, int width) => EmbeddingJudge.Judge(embeddings, width, labels, names, how, cancel).Result.Values;
    }

    public void Print(Screen screen)
    {
        screen.Heading($"{plan.Manifest.Dataset} v{plan.Manifest.Version}: {Show.Count(testClasses, "test class", "test classes")} that no training saw ({Show.Count(testImages, "image")})");
        var over = plan.Seeds > 1 ? $"95 % interval over {plan.Seeds} seeds" : $"95 % interval over the {plan.Folds.Count} models";
        Table(screen, $"Separated: mean of {plan.Folds.Count} models a seed, {over}", score => score.Separated);
        var width = string.Join(", ", scores.Select(score => $"{plan.Folds.Count} × {score.Dimension}").Distinct(StringComparer.Ordinal));
        Table(screen, $"Concatenated: the {plan.Folds.Count} models as one ({width}){(plan.Seeds > 1 ? $", {over}" : "")}", score => score.Concatenated);
        if (plan.OtherDifferences() is { Count: > 0 } differences)
        {
            screen.Line();
            screen.Line($"  Besides the loss, the recipes differ in {string.Join(", ", differences)}.");
        }
    }

    public JsonObject ToJson() => new()
    {
        ["dataset"] = plan.Manifest.Dataset,
        ["datasetVersion"] = plan.Manifest.Version,
        ["folds"] = plan.Folds.Count,
        ["seeds"] = plan.Seeds,
        ["testImages"] = testImages,
        ["testClasses"] = testClasses,
        ["intervalsOver"] = plan.Seeds > 1 ? "seeds" : "models",
        ["otherDifferences"] = Screen.ToJson(plan.OtherDifferences()),
        ["results"] = new JsonArray([.. scores.Select(Screen.ToJson)]),
    };

    private void Table(Screen screen, string title, Func<BenchmarkScore, IReadOnlyDictionary<string, BenchmarkValue>> of)
    {
        screen.Line();
        screen.Line($"  {title}");
        var names = of(scores[0]).Keys.ToList();
        screen.Table(["  recipe", .. names.Select(name => ">" + name)], scores.Select(score => (string[])[$"  {score.Recipe}", .. names.Select(name => Cell(of(score)[name]))]));
    }

    private static string Cell(BenchmarkValue value) =>
        value.Interval is { } interval ? $"{100 * value.Mean:0.0} ± {100 * (interval.High - interval.Low) / 2:0.0} %" : Show.Percent(value.Mean);

    /// <summary>With several seeds, what varies is the mean of a seed's models; with one, the models.</summary>
    private static Dictionary<string, BenchmarkValue> Separated(List<IReadOnlyList<IReadOnlyDictionary<string, double>>> seeds) => seeds[0][0].Keys.ToDictionary(
        metric => metric, metric => Value(seeds.Count > 1 ? [.. seeds.Select(models => models.Average(model => model[metric]))] : [.. seeds[0].Select(model => model[metric])]), StringComparer.Ordinal);

    private static Dictionary<string, BenchmarkValue> Concatenated(List<IReadOnlyDictionary<string, double>> seeds) =>
        seeds[0].Keys.ToDictionary(metric => metric, metric => Value([.. seeds.Select(values => values[metric])]), StringComparer.Ordinal);

    private static BenchmarkValue Value(double[] values) => new(values.Average(), Intervals.OfMean(values), values);

    /// <summary>Each model's vectors have length one, so those of k models side by side have the length sqrt(k).</summary>
    private static float[] SideBySide(List<(float[] Values, int Dimension)> models)
    {
        var (width, rows) = (models.Sum(model => model.Dimension), models[0].Values.Length / models[0].Dimension);
        var joined = new float[rows * width];
        var scale = 1 / MathF.Sqrt(models.Count);
        var at = 0;
        foreach (var (values, dimension) in models)
        {
            for (var row = 0; row < rows; row++)
                for (var d = 0; d < dimension; d++) joined[(row * width) + at + d] = values[(row * dimension) + d] * scale;
            at += dimension;
        }
        return joined;
    }
}
