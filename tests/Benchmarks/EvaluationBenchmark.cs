using System.Diagnostics;
using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Torch;

namespace DmlPipeline.Benchmarks;

/// <summary>Seconds for the metrics of a whole test split: 13,180 embeddings of dimension 128 in 659 classes unless told otherwise.</summary>
internal static class EvaluationBenchmark
{
    /// <summary>Arguments: images per class, classes, dimension, threads (0 = all cores).</summary>
    public static int Run(string[] args)
    {
        var (perClass, classes, dimension, threads) = (Number(args, 0, 20), Number(args, 1, 659), Number(args, 2, 128), Number(args, 3, 0));
        TorchRuntime.Initialize(threads);
        var (embeddings, labels) = Clouds(classes, perClass, dimension);
        Console.WriteLine($"{labels.Length} embeddings of dimension {dimension}, {classes} classes, {(threads == 0 ? Environment.ProcessorCount : threads)} threads");

        // Once small, so that loading and compiling are not measured.
        var (few, fewLabels) = Clouds(10, 10, dimension);
        RetrievalMetrics.Compute(few, dimension, fewLabels, new EvaluationOptions { Metrics = [.. Metric.Default, Metric.Parse("map")] }, CancellationToken.None);

        Measure("retrieval metrics", new EvaluationOptions { Metrics = [.. Metric.Default.Where(metric => !metric.NeedsClusters)] });
        Measure("mAP of the full ranking", new EvaluationOptions { Metrics = [Metric.Recall(1), Metric.Parse("map"), Metric.Parse("mrr")] });
        Measure("intervals over classes", new EvaluationOptions { Metrics = EvaluationOptions.Validation.Metrics, Intervals = new IntervalSettings() });
        Measure("intervals over queries", new EvaluationOptions { Metrics = EvaluationOptions.Validation.Metrics, Intervals = new IntervalSettings { Over = ResampledUnit.Queries } });
        Measure("alpha query expansion", new EvaluationOptions { Metrics = EvaluationOptions.Validation.Metrics, QueryExpansion = new NeighbourAveraging { Alpha = 3 } });
        Measure("k-reciprocal re-ranking", new EvaluationOptions { Metrics = EvaluationOptions.Validation.Metrics, ReRanking = new ReRanking() });
        Measure("validation (recall@1, MAP@R)", EvaluationOptions.Validation);
        Measure("all metrics with NMI", new EvaluationOptions());
        return 0;

        void Measure(string name, EvaluationOptions options)
        {
            var cpu = Process.GetCurrentProcess().TotalProcessorTime;
            var start = Stopwatch.GetTimestamp();
            var result = RetrievalMetrics.Compute(embeddings, dimension, labels, options, CancellationToken.None);
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            var spent = (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds;
            var nmi = result.Values.TryGetValue("nmi", out var value) ? $", NMI {value:0.000}" : "";
            Console.WriteLine($"{name,-30}{seconds,8:0.00} s {spent,8:0.00} CPU s   recall@1 {result.Recall1:0.000}{nmi}");
        }
    }

    private static int Number(string[] args, int at, int otherwise) => args.Length > at ? int.Parse(args[at]) : otherwise;

    /// <summary>Classes that overlap about as much as those of a trained model, so that k-means has to work.</summary>
    private static (float[] Embeddings, int[] Labels) Clouds(int classes, int perClass, int dimension)
    {
        var random = new CounterRandom(1, 2);
        var centres = new float[classes * dimension];
        for (var i = 0; i < centres.Length; i++) centres[i] = random.Between(-1, 1);
        var labels = new int[classes * perClass];
        var embeddings = new float[labels.Length * dimension];
        for (var i = 0; i < labels.Length; i++)
        {
            labels[i] = i / perClass;
            double norm = 0;
            for (var d = 0; d < dimension; d++)
            {
                var value = centres[(labels[i] * dimension) + d] + random.Between(-2, 2);
                embeddings[(i * dimension) + d] = value;
                norm += value * value;
            }
            for (var d = 0; d < dimension; d++) embeddings[(i * dimension) + d] /= (float)Math.Sqrt(norm);
        }
        return (embeddings, labels);
    }
}
