using System.Diagnostics;

namespace DmlPipeline.Tests.Services.Servers;

/// <summary>A real server of this test run's own, started by infra/servers at the first use; it ends with this process, however that ends.</summary>
internal static class TestServer
{
    /// <summary>Where the servers live. Their users must be able to pass through, so not below a private temporary folder.</summary>
    public static readonly string Folder = Path.Combine("/var/tmp", $"dmlpipeline-test-{Environment.ProcessId}-{Guid.NewGuid():N}"[..40]);

    private static readonly Lazy<Task<IReadOnlyDictionary<string, string>>> S3Server = new(() => Start("s3"));
    private static readonly Lazy<Task<IReadOnlyDictionary<string, string>>> PostgresServer = new(() => Start("postgres"));
    private static readonly Lazy<Task<IReadOnlyDictionary<string, string>>> RabbitMqServer = new(() => Start("rabbitmq"));

    public static Task<IReadOnlyDictionary<string, string>> S3 => S3Server.Value;

    public static Task<IReadOnlyDictionary<string, string>> Postgres => PostgresServer.Value;

    public static Task<IReadOnlyDictionary<string, string>> RabbitMq => RabbitMqServer.Value;

    /// <summary>Stops or starts it in the middle of a test: <c>down</c>, <c>up</c>, <c>kill</c>; or gives it orders, <c>ctl</c>.</summary>
    public static Task Run(string server, string verb, params string[] arguments) => Script(server, [verb, Folder, .. arguments]);

    private static async Task<IReadOnlyDictionary<string, string>> Start(string server)
    {
        await Script(server, "up", Folder, "--until-exit", $"{Environment.ProcessId}");
        return File.ReadLines(Path.Combine(Folder, $"{server}.env")).Select(line => line.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
    }

    private static async Task Script(string server, params string[] arguments)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "DmlPipeline.sln"))) root = root.Parent;
        var start = new ProcessStartInfo(Path.Combine(root!.FullName, "infra", "servers", server)) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await output;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"The tests need a real {server} server, and it did not start. infra/servers/setup installs it. It said:\n{errors}");
    }
}
