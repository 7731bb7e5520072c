using System.Diagnostics;
using System.Text.Json;
using DmlPipeline.Cli;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Scheduling;
using DmlPipeline.Storage;
using DmlPipeline.Tests.Services.Servers;
using Npgsql;

namespace DmlPipeline.Tests.Pipeline.Serve;

/// <summary>Two schedulers, each a process of its own, on one PostgreSQL and one RabbitMQ.</summary>
public sealed class SchedulerKillTests : IDisposable
{
    private const string Schema = "scheduler_kill";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly TemporaryHome temporary = new();
    private readonly Dictionary<string, Process> nodes = new(StringComparer.Ordinal);

    public void Dispose()
    {
        foreach (var node in nodes.Values)
        {
            node.Kill();
            node.WaitForExit();
            node.Dispose();
        }
        temporary.Dispose();
    }

    [Fact]
    public async Task Of_two_schedulers_one_is_killed_in_the_middle_of_a_fire_and_there_is_one_training()
    {
        var (postgres, rabbit) = (await TestServer.Postgres, await TestServer.RabbitMq);
        var administrator = new NpgsqlConnectionStringBuilder
        {
            Host = postgres["POSTGRES_HOST"], Port = int.Parse(postgres["POSTGRES_PORT"]), Database = postgres["POSTGRES_DATABASE"],
            Username = postgres["POSTGRES_USER"], Password = postgres["POSTGRES_PASSWORD"], SearchPath = Schema,
        }.ConnectionString;
        await using var outside = new NpgsqlConnection(administrator);
        await outside.OpenAsync();
        await Run(outside, $"create schema if not exists {Schema}");
        var address = $"postgres://{postgres["POSTGRES_HOST"]}:{postgres["POSTGRES_PORT"]}/{postgres["POSTGRES_DATABASE"]}?searchpath={Schema}";
        using var database = await Database.Open(address, postgres["POSTGRES_USER"], postgres["POSTGRES_PASSWORD"], default);
        await HasVersion(database);
        foreach (var name in new[] { "node-a", "node-b" }) await Start(name, Settings(name, address, postgres, rabbit));
        // Decides, in this process: it is the schedulers that are to die.
        using var stop = new CancellationTokenSource();
        var training = Task.Run(() => CommandLine.Run(
            ["serve", "training", "--settings", Settings("training", address, postgres, rabbit), "--home", temporary.Home.Path], TextWriter.Null, TextWriter.Null, stop.Token));

        // Whoever fires cannot get beyond the record of the fire.
        await using (var hold = await outside.BeginTransactionAsync())
        {
            await Run(outside, "lock table schedule_fires in share row exclusive mode");
            // Once, six seconds from now, and never again.
            var time = DateTimeOffset.UtcNow.AddSeconds(6);
            await database.Write(transaction => transaction.Put(
                new ScheduleDefinition { Name = "once", Dataset = "killed", Cron = $"{time.Second} {time.Minute} {time.Hour} {time.Day} {time.Month} ? {time.Year}" }, ScheduleRows.FromCommandLine, paused: null, Database.Now), default);
            var firing = await Eventually(
                async () => await database.QueryOne<string>(
                    "select application_name from pg_stat_activity where query like 'insert into schedule_fires%' and wait_event_type = 'Lock' limit 1", null, default),
                name => name is not null, "a scheduler stands in the middle of the fire");
            var killed = nodes[firing!];
            killed.Kill();
            await killed.WaitForExitAsync();
            await hold.RollbackAsync();
        }
        var run = await Eventually(
            () => database.QueryOne<string>("select run_id from training_decisions where schedule = 'once' and run_id is not null", null, default), id => id is not null, "the other scheduler fired");

        (await database.Fires("once", 10, default)).ShouldHaveSingleItem().Outcome.ShouldBe("asked");
        (await database.QueryOne<int>("select count(*) from outbox where type = 'ScheduleFired'", null, default)).ShouldBe(1);
        (await database.QueryOne<int>("select count(*) from runs where dataset = 'killed'", null, default)).ShouldBe(1, run);
        await stop.CancelAsync();
        (await training).ShouldBe(0);
        await Run(outside, $"drop schema {Schema} cascade");
    }

    private string Settings(string name, string address, IReadOnlyDictionary<string, string> postgres, IReadOnlyDictionary<string, string> rabbit)
    {
        Directory.CreateDirectory(temporary.Home.Path);
        string Write(string file, string text)
        {
            var path = Path.Combine(temporary.Home.Path, file);
            File.WriteAllText(path, text + "\n");
            return path;
        }
        return Write($"{name}.yaml",
            $"""
             bus: rabbitmq://{rabbit["RABBITMQ_HOST"]}:{rabbit["RABBITMQ_PORT"]}
             bus-user: {rabbit["RABBITMQ_USER"]}
             bus-password-file: {Write("bus", rabbit["RABBITMQ_PASSWORD"])}
             database: {address}&applicationname={name}
             database-user: {postgres["POSTGRES_USER"]}
             database-password-file: {Write("database", postgres["POSTGRES_PASSWORD"])}
             listen: 127.0.0.1:0
             """);
    }

    private async Task Start(string name, string settings)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList = { Path.Combine(AppContext.BaseDirectory, "dml.dll"), "serve", "scheduling", "--settings", settings, "--home", temporary.Home.Path, "--json" },
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        var process = nodes[name] = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        // The document that it writes when it serves.
        (await process.StandardOutput.ReadLineAsync()).ShouldBe("{");
        // Read on, so that a full pipe never stops it.
        _ = process.StandardOutput.ReadToEndAsync();
    }

    /// <summary>With a decision already, so that only the schedule asks for a training.</summary>
    private static Task HasVersion(Database database) => database.Write(transaction =>
    {
        var reference = new ArtifactRef("some/key", new string('0', 64), 1);
        var manifest = new DatasetManifest
        {
            Dataset = "killed", Version = 1, CreatedAt = DateTimeOffset.UnixEpoch, DropId = "drop", ContentHash = new string('a', 64), Split = new DatasetSplit("class", "a test", 0.1, 0.25),
            Classes = [new DatasetClass("robin", "robin", SplitNames.Train, 5), new DatasetClass("thrush", "thrush", SplitNames.Train, 5)],
            Counts = new DatasetCounts(10, 10, 0, 0, 0), Facts = new DatasetFacts(1, 28, 28, DarkOnLight: true), Samples = reference, Shards = [],
        };
        return transaction.Execute(
            """
            insert into dataset_versions (dataset, version, drop_id, manifest_json, manifest_ref_json, images, classes, created_at) values ('killed', 1, 'drop', @manifest, '{}', 10, 2, 1);
            insert into training_decisions (id, dataset, version, cause, recipe, state, reason, decided_at) values ('killed-v1', 'killed', 1, 'new-data', '', 'decided', 'a test', 1)
            """, new { manifest = JsonSerializer.Serialize(manifest, ContractJson.Compact) });
    }, default);

    private static async Task Run(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<T> Eventually<T>(Func<Task<T>> look, Func<T, bool> isTrue, string what)
    {
        var end = DateTime.UtcNow + Limit;
        while (true)
        {
            var seen = await look();
            if (isTrue(seen)) return seen;
            if (DateTime.UtcNow > end) throw new TimeoutException($"This never happened: {what}.");
            await Task.Delay(50);
        }
    }
}
