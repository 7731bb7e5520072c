using System.Diagnostics;

namespace DmlPipeline.Chaos.Rig;

/// <summary>RabbitMQ, an S3 server and PostgreSQL of this run's own, as infra/servers starts them.</summary>
internal sealed class Servers(string folder)
{
    public const string Broker = "rabbitmq", Database = "postgres", Store = "s3";

    private static readonly string[] All = [Broker, Database, Store];

    private readonly Dictionary<string, string> settings = new(StringComparer.Ordinal);

    /// <summary>A setting that a server chose for itself, such as <c>POSTGRES_PORT</c>.</summary>
    public string this[string setting] => settings[setting];

    /// <summary>Starts all three; unless they are to be kept they end, and what they hold goes, with this process, however it ends.</summary>
    public Task Up(bool keep, CancellationToken cancel)
    {
        string[] guard = keep ? [] : ["--until-exit", $"{Environment.ProcessId}"];
        return Task.WhenAll(All.Select(server => Run(server, "up", guard, cancel)));
    }

    /// <param name="verb"><c>down</c>, or <c>wipe</c>.</param>
    public Task End(string verb) => Task.WhenAll(All.Select(server => Run(server, verb, CancellationToken.None)));

    public void ReadSettings()
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*.env"))
            foreach (var pair in File.ReadLines(file).Select(line => line.Split('=', 2)))
                settings[pair[0]] = pair[1];
    }

    /// <param name="server">Which.</param>
    /// <param name="verb"><c>up</c>, <c>down</c>, <c>kill</c>, <c>wipe</c>; the broker also <c>queues</c> and <c>disconnect</c>.</param>
    /// <param name="arguments">After the folder.</param>
    /// <param name="cancel">Ends the waiting.</param>
    /// <returns>What it wrote to its standard output.</returns>
    public async Task<string> Run(string server, string verb, string[] arguments, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(Path.Combine(Repository.Root, "infra", "servers", server)) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var argument in (string[])[verb, folder, .. arguments]) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancel);
        var errors = await process.StandardError.ReadToEndAsync(cancel);
        await process.WaitForExitAsync(cancel);
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"infra/servers/{server} {verb} failed: {errors}");
    }

    public Task Run(string server, string verb, CancellationToken cancel) => Run(server, verb, [], cancel);

    /// <summary>Ends a process of the S3 server at once, as its script has noted it.</summary>
    public void KillStore(string process)
    {
        var id = File.ReadAllText(Path.Combine(folder, Store, $"{process}.pid")).Split(' ')[0];
        Signals.Send(int.Parse(id), Signals.Kill);
    }
}
