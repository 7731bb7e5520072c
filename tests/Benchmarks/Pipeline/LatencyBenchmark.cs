using System.Globalization;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Benchmarks.Pipeline;

/// <summary>
/// Seconds from the answer to the last PUT of a drop until its training runs, in a pipeline of many processes: with the store's events, and
/// with every one of them lost; for a drop that says by _READY that it is complete, and for one that is left to settle.
/// </summary>
internal static class LatencyBenchmark
{
    private const int MostBetween = 30_000;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    public static int Run(string[] args)
    {
        if (Servers.Find(args, "latency FOLDER [DROPS]", "client") is not { } servers) return 1;
        Measure(servers, args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 20).GetAwaiter().GetResult();
        return 0;
    }

    private static async Task Measure(Servers servers, int drops)
    {
        var store = new Uri(servers["DML_STORE"]);
        var bucket = store.AbsolutePath.Trim('/');
        using var s3 = new AmazonS3Client(new BasicAWSCredentials(servers["DML_STORE_ACCESS_KEY"], servers["DML_STORE_SECRET_KEY"]), new AmazonS3Config
        {
            ServiceURL = store.GetLeftPart(UriPartial.Authority), ForcePathStyle = true, AuthenticationRegion = "us-east-1",
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED, ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        });
        using var database = await Database.Open(servers["DML_DATABASE"], servers["DML_DATABASE_USER"], servers["DML_DATABASE_PASSWORD"], default);
        var events = (await s3.GetBucketNotificationAsync(bucket)).TopicConfigurations ?? [];
        if (events.Count == 0) throw new InvalidOperationException("The bucket sends no events: start the pipeline anew with infra/up, and without DML_EVENTS=none.");

        Console.WriteLine("PUT to training started, s           drops    p50    p95    max");
        await Row("events, _READY", drops, isMarked: true);
        await Row("events, left to settle", drops, isMarked: false);
        var prefixes = events.Select(each => each.Filter.S3KeyFilter.FilterRules[0].Value).ToList();
        await Tell(_ => "nowhere/");
        try
        {
            await Row("every event lost, _READY", drops, isMarked: true);
        }
        finally
        {
            await Tell(i => prefixes[i]);
        }

        async Task Tell(Func<int, string> prefix)
        {
            for (var i = 0; i < events.Count; i++) events[i].Filter.S3KeyFilter.FilterRules[0].Value = prefix(i);
            await s3.PutBucketNotificationAsync(new PutBucketNotificationRequest { BucketName = bucket, TopicConfigurations = events });
        }

        async Task Row(string name, int count, bool isMarked)
        {
            var seconds = new List<double>();
            for (var i = 0; i < count; i++)
            {
                // Not in step with anything that the pipeline does by the clock.
                await Task.Delay(Random.Shared.Next(isMarked && name.StartsWith("every", StringComparison.Ordinal) ? MostBetween : 1000));
                seconds.Add(await Drop(s3, bucket, database, isMarked));
            }
            seconds.Sort();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-35} {count,6} {Percentile(seconds, 0.5),6:F1} {Percentile(seconds, 0.95),6:F1} {seconds[^1],6:F1}"));
        }
    }

    /// <summary>A dataset of its own, trained for an epoch; returns when the worker is free again.</summary>
    private static async Task<double> Drop(AmazonS3Client s3, string bucket, Database database, bool isMarked)
    {
        var dataset = $"latency-{Guid.NewGuid():N}"[..20];
        await Put("drop.zip", SmallDrop.Zip(seed: dataset.GetHashCode(StringComparison.Ordinal), classes: 8, imagesEach: 4, "recipe:\n  epochs: 1\n  image: { size: 28 }\n  threads: 1\n"));
        if (isMarked) await Put("_READY", []);
        var put = Database.Now;
        var end = DateTime.UtcNow + Limit;
        while (DateTime.UtcNow < end)
        {
            if ((await database.Runs(dataset, default)).FirstOrDefault() is { } run && run.State is not ("queued" or "running"))
                return run.StartedAt is { } started ? (started - put) / 1000.0 : throw new InvalidOperationException($"{run.Id} {run.State}: {run.Error}");
            if ((await database.Drops(dataset, default)).FirstOrDefault(drop => drop.State is "rejected" or "waiting") is { } refused) throw new InvalidOperationException(refused.Reason);
            await Task.Delay(100);
        }
        throw new TimeoutException($"{dataset} was not trained within {Limit.TotalMinutes} minutes.");

        async Task Put(string name, byte[] bytes)
        {
            using var content = new MemoryStream(bytes);
            await s3.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = $"inbox/{dataset}/{name}", InputStream = content });
        }
    }

    private static double Percentile(List<double> sorted, double share) => sorted[(int)Math.Ceiling(share * sorted.Count) - 1];
}
