using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using DmlPipeline.Cli;
using DmlPipeline.Cli.Sample;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;
using DmlPipeline.Storage.State;
using DmlPipeline.Tests.Services.Servers;

namespace DmlPipeline.Tests.Pipeline.Serve;

/// <summary>The services on a real RabbitMQ, S3 server and PostgreSQL, as dml serve runs them.</summary>
public sealed class DistributedPipelineTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    private readonly TemporaryHome temporary = new();
    private readonly ConcurrentQueue<Activity> spans = new();

    public void Dispose() => temporary.Dispose();

    [Fact]
    public async Task Services_that_share_servers_make_a_champion_of_a_drop_in_one_trace()
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "DmlPipeline" or "MassTransit",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        var (settings, bucket, database) = await Servers();
        using var store = bucket;
        using var state = database;
        using var stop = new CancellationTokenSource();
        var processes = new[] { "ingestion scheduling", "training", "training", "evaluation registry" }.Select(services => new Process(services, settings, stop.Token)).ToList();
        using var client = new HttpClient();
        foreach (var process in processes)
            (await client.GetAsync($"{await process.Address}/health/ready")).StatusCode.ShouldBe(HttpStatusCode.OK);

        await Drop(store, "letters");
        var run = await Eventually(() => state.Run("letters-v1", default), run => run?.State is "registered" or "failed");

        run!.State.ShouldBe("registered", run.Error);
        (await state.ModelVersion("letters", "champion", default)).ShouldNotBeNull().RunId.ShouldBe("letters-v1");
        (await store.Find("models/letters/v1/model.safetensors", default)).ShouldNotBeNull();
        (await client.GetStringAsync($"{await processes[^1].Address}/metrics")).ShouldContain("dml_jobs{kind=\"train\",state=\"done\"} 1");
        await ShouldBeCaredFor(settings, store);
        await stop.CancelAsync();
        foreach (var process in processes) (await process.Code.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBe(0);
        var trace = spans.First(span => span.DisplayName == "send PrepareDataset").TraceId;
        foreach (var step in new[] { "settle letters", "send DatasetReady", "send TrainModel", "train:letters-v1", "send ModelTrained", "evaluate:letters-v1", "send ModelEvaluated", "send ModelPromoted" })
            spans.Where(span => span.TraceId == trace).ShouldContain(span => span.DisplayName == step, step);
    }

    /// <summary>The commands that look at the whole from outside, with serve's own settings.</summary>
    private static async Task ShouldBeCaredFor(string settings, S3Store store)
    {
        var workers = (await Dml("workers")).AsArray().Select(worker => worker!["does"]!.ToString()).ToList();
        workers.ShouldContain("evaluate");
        workers.ShouldContain("prepare");
        workers.Count(does => does == "train").ShouldBe(2);
        (await Dml("queue")).AsArray().ShouldBeEmpty();
        (await Dml("runs")).AsArray().ShouldHaveSingleItem()!["priority"]!.ToString().ShouldBe("normal");

        await store.Put("models/nobody/v1/model.safetensors", new MemoryStream([1]), default);
        (await Dml("gc", "--dry-run"))["garbage"]!.AsArray().ShouldBeEmpty("what is younger than a day may belong to work under way");
        (await Dml("verify"))["objects"]!.GetValue<int>().ShouldBeGreaterThan(5);
        await store.Put("models/letters/v1/model.safetensors", new MemoryStream([1]), default);
        (await Dml("verify", code: 1))["problems"]!.AsArray().ShouldHaveSingleItem()!["problem"]!.ToString().ShouldBe("damaged");

        async Task<JsonNode> Dml(string command, string? option = null, int code = 0)
        {
            using var output = new StringWriter();
            using var error = new StringWriter();
            string[] arguments = [command, "--settings", settings, "--json", .. option is null ? Array.Empty<string>() : [option]];
            (await CommandLine.Run(arguments, output, error, default)).ShouldBe(code, error.ToString());
            return JsonNode.Parse(output.ToString())!;
        }
    }

    private async Task<(string Settings, S3Store Store, Database Database)> Servers()
    {
        var (rabbit, s3, postgres) = (await TestServer.RabbitMq, await TestServer.S3, await TestServer.Postgres);
        var address = $"postgres://{postgres["POSTGRES_HOST"]}:{postgres["POSTGRES_PORT"]}/{postgres["POSTGRES_DATABASE"]}";
        Directory.CreateDirectory(temporary.Home.Path);
        string Secret(string name, string text)
        {
            var path = Path.Combine(temporary.Home.Path, name);
            File.WriteAllText(path, text + "\n");
            return path;
        }
        var settings = Secret("dml.yaml",
            $"""
             bus: rabbitmq://{rabbit["RABBITMQ_HOST"]}:{rabbit["RABBITMQ_PORT"]}
             bus-user: {rabbit["RABBITMQ_USER"]}
             bus-password-file: {Secret("bus", rabbit["RABBITMQ_PASSWORD"])}
             store: {s3["S3_ENDPOINT"]}/pipeline
             store-access-key: {s3["S3_ACCESS_KEY"]}
             store-secret-key-file: {Secret("store", s3["S3_SECRET_KEY"])}
             database: {address}
             database-user: {postgres["POSTGRES_USER"]}
             database-password-file: {Secret("database", postgres["POSTGRES_PASSWORD"])}
             events: required
             listen: 127.0.0.1:0
             inbox:
               settle-seconds: 1
             training:
               recipe: "epochs: 2\nimage: {'{'} size: 28 {'}'}\nthreads: 1"
             schedules:
               letters: {"{ cron: \"30 2 * * *\", timezone: Europe/Berlin }"}
             """);
        var store = await S3Store.Open(
            new S3Settings
            {
                Endpoint = new Uri(s3["S3_ENDPOINT"]), Bucket = "pipeline", AccessKey = s3["S3_ACCESS_KEY"], SecretKey = s3["S3_SECRET_KEY"],
                CacheFolder = Path.Combine(temporary.Home.Path, "cache"),
            },
            createBucket: true, default);
        return (settings, store, await Database.Open(address, postgres["POSTGRES_USER"], postgres["POSTGRES_PASSWORD"], default));
    }

    private async Task Drop(S3Store store, string dataset)
    {
        var folder = Path.Combine(temporary.Home.Path, "glyphs");
        GlyphSample.Write(folder, alphabets: 3, charactersPerAlphabet: 6, drawingsPerCharacter: 6, seed: 1, default);
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            await using var content = File.OpenRead(file);
            await store.Put($"inbox/{dataset}/{Path.GetRelativePath(folder, file)}", content, default);
        }
    }

    private static async Task<T> Eventually<T>(Func<Task<T>> look, Func<T, bool> isTrue)
    {
        var end = DateTime.UtcNow + Limit;
        while (true)
        {
            var seen = await look();
            if (isTrue(seen)) return seen;
            if (DateTime.UtcNow > end) throw new TimeoutException($"Still not so after {Limit.TotalMinutes:0} minutes: {seen}");
            await Task.Delay(100);
        }
    }

    /// <summary>dml serve, in this process but for the servers alone.</summary>
    private sealed class Process
    {
        private readonly TaskCompletionSource<string> address = new();

        public Process(string services, string settings, CancellationToken stop)
        {
            var output = new FirstDocument(text => address.TrySetResult(JsonNode.Parse(text)!["address"]!.ToString()));
            var error = new StringWriter();
            Code = Task.Run(() => CommandLine.Run(["serve", .. services.Split(' '), "--settings", settings, "--json", "--home", Path.GetDirectoryName(settings)!], output, error, stop));
            _ = Code.ContinueWith(ended => address.TrySetException(new InvalidOperationException(error.ToString())), TaskScheduler.Default);
        }

        public Task<int> Code { get; }

        public Task<string> Address => address.Task;
    }

    /// <summary>Tells of the JSON document that a command writes when it is ready.</summary>
    private sealed class FirstDocument(Action<string> tell) : StringWriter
    {
        public override void WriteLine(string? value) => tell(value!);
    }
}
