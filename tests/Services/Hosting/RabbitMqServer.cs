using System.Diagnostics;
using DmlPipeline.Hosting.Messaging;

namespace DmlPipeline.Tests.Services.Hosting;

/// <summary>A real broker on loopback, started by the first test that needs one and gone with the test run.</summary>
public sealed class RabbitMqServer : IAsyncLifetime
{
    private static readonly string Script = Path.Combine(Root(), "infra", "servers", "rabbitmq");

    private readonly string folder = Directory.CreateTempSubdirectory("dmlpipeline-rabbitmq-").FullName;
    private Dictionary<string, string> settings = [];
    private int virtualHosts;

    public async Task InitializeAsync()
    {
        await Run("up", folder, "--until-exit", $"{Environment.ProcessId}");
        settings = File.ReadLines(Path.Combine(folder, "rabbitmq.env")).Select(line => line.Split('=', 2)).ToDictionary(parts => parts[0], parts => parts[1], StringComparer.Ordinal);
    }

    public Task DisposeAsync() => Run("wipe", folder);

    public Task Stop() => Run("down", folder);

    public Task Start() => Run("up", folder);

    public Task<string> Control(params string[] arguments) => Run(["ctl", folder, .. arguments]);

    /// <summary>Settings for queues that no other test sees.</summary>
    internal async Task<BusSettings> NewBus()
    {
        var name = $"test{Interlocked.Increment(ref virtualHosts)}";
        await Control("add_vhost", name);
        await Control("set_permissions", "-p", name, settings["RABBITMQ_USER"], ".*", ".*", ".*");
        return BusSettings.Parse($"rabbitmq://{settings["RABBITMQ_HOST"]}:{settings["RABBITMQ_PORT"]}/{name}") with
        {
            User = settings["RABBITMQ_USER"], Password = settings["RABBITMQ_PASSWORD"], RetryAfter = [TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(20)],
        };
    }

    private static async Task<string> Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Script, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{Script} {string.Join(' ', arguments)}: {await error}");
        return await output;
    }

    private static string Root()
    {
        for (var root = AppContext.BaseDirectory; root is not null; root = Path.GetDirectoryName(root))
            if (File.Exists(Path.Combine(root, "DmlPipeline.sln"))) return root;
        throw new DirectoryNotFoundException("The tests start RabbitMQ with infra/servers/rabbitmq: run them inside the repository.");
    }
}

[CollectionDefinition(Name)]
public sealed class RabbitMqCollection : ICollectionFixture<RabbitMqServer>
{
    public const string Name = "RabbitMQ";
}
