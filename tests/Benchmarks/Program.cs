using DmlPipeline.Benchmarks;
using DmlPipeline.Benchmarks.Pipeline;
using DmlPipeline.Benchmarks.Scale;

// One line per benchmark, in the order of their names: what to type, what it measures, what runs.
(string Name, string Measures, Func<string[], int> Run)[] benchmarks =
[
    ("augmentation", "augmented images per second, one thread", AugmentationBenchmark.Run),
    ("backbones", "images per second that each backbone learns and embeds, and ResNet-18 beside PyTorch", BackboneBenchmark.Run),
    ("drops", "small drops per second that one ingestion process makes versions of, on the real servers", DropsBenchmark.Run),
    ("evaluation", "seconds for all retrieval metrics and NMI of 13,180 embeddings", EvaluationBenchmark.Run),
    ("gate", "false and missed promotions by the number of classes and queries, simulated", GateBenchmark.Run),
    ("heated-up", "heated-up softmax beside its unheated forms on unseen alphabets, and what alpha does", HeatedUpBenchmark.Run),
    ("imaging", "images per second from file bytes to resized pixels, one thread", ImagingBenchmark.Run),
    ("ingestion", "images per second and peak memory from a dropped archive to a dataset version", IngestionBenchmark.Run),
    ("latency", "seconds from PUT to training started, with the store's events and with every one lost", LatencyBenchmark.Run),
    ("messages", "messages per second with outbox and inbox, beside MassTransit alone, in memory and on RabbitMQ", MessagesBenchmark.Run),
    ("parallel", "training steps per second of one process and of several that share batches and threads", ParallelBenchmark.Run),
    ("peer", "every loss here and in pytorch-metric-learning: recall@1, MAP@R and images/s on unseen alphabets", PeerBenchmark.Run),
    ("python-ratio", "training images per second here and in PyTorch, taking turns", PythonRatioBenchmark.Run),
    ("scale", "memory, time and database of a million images and of ten thousand model versions, on SQLite and PostgreSQL", ScaleBenchmark.Run),
    ("storage", "a large object to S3 and its memory; transactions per second on SQLite and PostgreSQL", StorageBenchmark.Run),
    ("training", "images per second, memory and recall on unseen classes; a zip of class folders, or noise", TrainingBenchmark.Run),
    ("workers", "eight trainings by one worker process and by two; seconds until a cancelled one ends; leases a second beside 100,000 finished jobs", WorkersBenchmark.Run),
];

if (args is [var name, .. var rest] && benchmarks.FirstOrDefault(benchmark => benchmark.Name == name) is { Run: { } run }) return run(rest);

if (args is [var unknown, ..]) Console.Error.WriteLine($"There is no benchmark '{unknown}'.");
Console.Error.WriteLine("dotnet run -c Release --project tests/Benchmarks -- NAME [arguments], where NAME is one of:");
foreach (var benchmark in benchmarks) Console.Error.WriteLine($"  {benchmark.Name,-14}{benchmark.Measures}");
return args.Length == 0 ? 0 : 1;
