using System.Diagnostics;
using System.Globalization;
using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Hosting.Messaging;
using DmlPipeline.Storage;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace DmlPipeline.Benchmarks.Pipeline;

/// <summary>
/// Messages per second from one process to itself, one after the other in one run: MassTransit as it comes, and as the pipeline uses it,
/// where each message is committed to the outbox with what it tells of, and consumed in one transaction with its inbox row and its effect.
/// </summary>
internal static class MessagesBenchmark
{
    private const int AtOnce = 64;
    private const ushort Prefetch = 64;
    private const string BareQueue = "benchmark-bare";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    public static int Run(string[] args)
    {
        if (Servers.Find(args, "messages FOLDER [MESSAGES]", "rabbitmq", "postgres") is not { } servers) return 1;
        Measure(servers, args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 5000).GetAwaiter().GetResult();
        return 0;
    }

    private static async Task Measure(Servers servers, int messages)
    {
        var folder = Directory.CreateTempSubdirectory("dml-messages-benchmark-").FullName;
        var bus = servers.Bus() with { Prefetch = Prefetch };
        try
        {
            Console.WriteLine($"{messages:N0} messages, {AtOnce} at once               messages/s");
            Print("MassTransit, in memory", messages, await Bare(bus: null, messages));
            Print("MassTransit, RabbitMQ quorum queue", messages, await Bare(bus, messages));
            using (var sqlite = await Database.Open(Path.Combine(folder, "state.db"), default)) Print("outbox and inbox, in memory, SQLite", messages, await Stored(BusSettings.Memory, sqlite, messages));
            using var postgres = await servers.OpenPostgres();
            Print("outbox and inbox, RabbitMQ, PostgreSQL", messages, await Stored(bus, postgres, messages));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<double> Bare(BusSettings? bus, int messages)
    {
        var arrived = new Arrivals(messages);
        var builder = Host.CreateEmptyApplicationBuilder(settings: null);
        builder.Services.AddSingleton(arrived).AddMassTransit(x =>
        {
            x.DisableUsageTelemetry();
            x.AddConsumer<BareConsumer>().Endpoint(endpoint => endpoint.Name = BareQueue);
            if (bus is null) x.UsingInMemory((context, memory) => memory.ConfigureEndpoints(context));
            else x.UsingRabbitMq((context, rabbit) =>
            {
                rabbit.Host(bus.Host, bus.Port, "/", host =>
                {
                    host.Username(bus.User);
                    host.Password(bus.Password);
                });
                rabbit.PrefetchCount = Prefetch;
                rabbit.ReceiveEndpoint(BareQueue, endpoint =>
                {
                    endpoint.SetQuorumQueue();
                    endpoint.ConfigureConsumer<BareConsumer>(context);
                });
            });
        });
        builder.Services.Configure<MassTransitHostOptions>(options => options.WaitUntilStarted = true);
        using var host = builder.Build();
        await host.StartAsync();
        var sender = host.Services.GetRequiredService<IBus>();
        var seconds = await Time(messages, arrived, (i, cancel) => sender.Publish(new BareMessage($"{i}", "benchmark"), cancel));
        await host.StopAsync();
        return seconds;
    }

    private static async Task<double> Stored(BusSettings bus, Database database, int messages)
    {
        var arrived = new Arrivals(messages);
        var builder = Host.CreateEmptyApplicationBuilder(settings: null);
        builder.Services.AddSingleton(arrived).AddSingleton(database)
            .AddPipelineBus(bus, x => x.AddConsumer<StoringConsumer>().Endpoint(endpoint => endpoint.Name = "prepare-dataset"));
        using var host = builder.Build();
        await host.StartAsync();
        var run = Guid.NewGuid().ToString("N");
        var seconds = await Time(messages, arrived, (i, cancel) => database.Write(transaction => transaction.Publish(new PrepareDataset($"{run}-{i}", "benchmark")), cancel));
        await host.StopAsync();
        return seconds;
    }

    private static async Task<double> Time(int messages, Arrivals arrived, Func<int, CancellationToken, Task> send)
    {
        // The first ones pay for compiling.
        for (var i = 0; i < AtOnce; i++) await send(-1 - i, default);
        await arrived.AtLeast(AtOnce);
        var start = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(0, messages, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, cancel) => await send(i, cancel));
        await arrived.AtLeast(AtOnce + messages);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Print(string name, int messages, double seconds) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-42} {messages / seconds,9:N0}"));

    /// <summary>As long as one of the pipeline.</summary>
    public sealed record BareMessage(string DropId, string Dataset);

    private sealed class BareConsumer(Arrivals arrived) : IConsumer<BareMessage>
    {
        public Task Consume(ConsumeContext<BareMessage> context)
        {
            arrived.One();
            return Task.CompletedTask;
        }
    }

    private sealed class StoringConsumer(Database database, Arrivals arrived) : IConsumer<PrepareDataset>
    {
        public async Task Consume(ConsumeContext<PrepareDataset> context)
        {
            await database.Once(context, this, (transaction, message) => transaction.Enqueue("benchmark", message.DropId));
            arrived.One();
        }
    }

    private sealed class Arrivals(int messages)
    {
        private int count;

        public void One() => Interlocked.Increment(ref count);

        public async Task AtLeast(int number)
        {
            var end = DateTime.UtcNow + Limit;
            while (Volatile.Read(ref count) < number)
            {
                if (DateTime.UtcNow > end) throw new TimeoutException($"{count:N0} of {messages:N0} messages arrived within {Limit.TotalMinutes} minutes.");
                await Task.Delay(5);
            }
        }
    }
}
