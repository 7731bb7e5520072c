using DmlPipeline.Hosting.Messaging;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;

namespace DmlPipeline.Benchmarks;

/// <summary>Servers that infra/servers has started, by the files that it writes into their folder.</summary>
internal sealed class Servers
{
    private readonly Dictionary<string, string> values = new(StringComparer.Ordinal);

    private Servers()
    {
    }

    public string this[string name] => values[name];

    /// <summary>Null, and a word on what to start, when one of them has not been started.</summary>
    public static Servers? Find(string[] args, string usage, params string[] names)
    {
        var servers = new Servers();
        foreach (var name in names)
        {
            var file = args.Length == 0 ? "" : Path.Combine(args[0], $"{name}.env");
            if (!File.Exists(file))
            {
                Console.Error.WriteLine($"{usage}\nFOLDER is of servers that run: {string.Join(", ", names.Select(each => each == "client" ? "infra/up FOLDER" : $"infra/servers/{each} up FOLDER"))}");
                return null;
            }
            foreach (var pair in File.ReadLines(file).Where(line => line.Contains('=', StringComparison.Ordinal)).Select(line => line.Split('=', 2))) servers.values[pair[0]] = pair[1];
        }
        return servers;
    }

    public S3Settings Bucket(string name, string cache) =>
        new() { Endpoint = new Uri(this["S3_ENDPOINT"]), Bucket = name, AccessKey = this["S3_ACCESS_KEY"], SecretKey = this["S3_SECRET_KEY"], CacheFolder = cache };

    public Task<Database> OpenPostgres() =>
        Database.Open($"postgres://{this["POSTGRES_HOST"]}:{this["POSTGRES_PORT"]}/{this["POSTGRES_DATABASE"]}", this["POSTGRES_USER"], this["POSTGRES_PASSWORD"], default);

    public BusSettings Bus() =>
        BusSettings.Parse($"rabbitmq://{this["RABBITMQ_HOST"]}:{this["RABBITMQ_PORT"]}") with { User = this["RABBITMQ_USER"], Password = this["RABBITMQ_PASSWORD"], ConnectionName = "benchmark" };
}
