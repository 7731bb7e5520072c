using System.Globalization;
using Dapper;
using DmlPipeline.Hosting.Messaging;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;
using Npgsql;

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

    /// <summary>A database beside the pipeline's, which infra/up may keep on the same server.</summary>
    /// <param name="name">Its name, of letters alone.</param>
    /// <param name="anew">What it held before goes.</param>
    public async Task<Database> OpenPostgres(string name = "benchmark", bool anew = false)
    {
        var server = new NpgsqlConnectionStringBuilder
        {
            Host = this["POSTGRES_HOST"], Port = int.Parse(this["POSTGRES_PORT"], CultureInfo.InvariantCulture), Database = "postgres",
            Username = this["POSTGRES_USER"], Password = this["POSTGRES_PASSWORD"],
        };
        await using (var connection = new NpgsqlConnection(server.ConnectionString))
        {
            await connection.OpenAsync();
            if (anew) await connection.ExecuteAsync($"drop database if exists {name} with (force)");
            if (await connection.ExecuteScalarAsync<int?>("select 1 from pg_database where datname = @name", new { name }) is null) await connection.ExecuteAsync($"create database {name}");
        }
        return await Database.Open($"postgres://{server.Host}:{server.Port}/{name}", server.Username, server.Password, default);
    }

    public BusSettings Bus() =>
        BusSettings.Parse($"rabbitmq://{this["RABBITMQ_HOST"]}:{this["RABBITMQ_PORT"]}") with { User = this["RABBITMQ_USER"], Password = this["RABBITMQ_PASSWORD"], ConnectionName = "benchmark" };
}
