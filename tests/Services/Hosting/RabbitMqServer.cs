using DmlPipeline.Hosting.Messaging;
using DmlPipeline.Tests.Services.Servers;

namespace DmlPipeline.Tests.Services.Hosting;

/// <summary>The real broker. Tests that use it run one after the other, because some of them stop it.</summary>
public sealed class RabbitMqServer
{
    private static int virtualHosts;

    public Task Stop() => TestServer.Run("rabbitmq", "down");

    public Task Start() => TestServer.Run("rabbitmq", "up");

    public Task Control(params string[] arguments) => TestServer.Run("rabbitmq", "ctl", arguments);

    /// <summary>Settings for queues that no other test sees.</summary>
    internal async Task<BusSettings> NewBus()
    {
        var settings = await TestServer.RabbitMq;
        var name = $"test{Interlocked.Increment(ref virtualHosts)}";
        await Control("add_vhost", name);
        await Control("set_permissions", "-p", name, settings["RABBITMQ_USER"], ".*", ".*", ".*");
        return BusSettings.Parse($"rabbitmq://{settings["RABBITMQ_HOST"]}:{settings["RABBITMQ_PORT"]}/{name}") with
        {
            User = settings["RABBITMQ_USER"], Password = settings["RABBITMQ_PASSWORD"], RetryAfter = [TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(20)],
        };
    }
}

[CollectionDefinition(Name)]
public sealed class RabbitMqCollection : ICollectionFixture<RabbitMqServer>
{
    public const string Name = "RabbitMQ";
}
