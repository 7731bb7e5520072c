using System.CommandLine;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Storage.Work;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml workers</c>: who works, on which device, on what.</summary>
internal static class WorkersCommand
{
    // Said in columns of their own, or of every worker.
    private static readonly string[] NotShown = ["host", "device"];

    public static Command Create()
    {
        var command = new DocumentedCommand("workers", "List the workers that are there, what they have, and what each works on")
        {
            Details =
                """
                A worker says every ten seconds that it is there; one that was silent for thirty is gone, and its job goes to another.
                What it has are labels, which a run can ask for (train --needs): device, gpu, gpu-memory, memory, cores, host, and what
                its settings say (training: labels: site=berlin).
                """,
            Examples = ["workers", "workers --json", "workers --settings dml.yaml"],
        };
        foreach (var flag in OpenedDatabase.Flags) command.Options.Add(flag);
        command.SetAction(List);
        return command;
    }

    private static async Task<int> List(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        using var opened = await OpenedDatabase.Open(parse, mayCreate: false, cancel);
        screen.Rows(
            await opened.Database.Workers(cancel), ToJson, $"No worker is running. Start the pipeline with: {opened.Hint("up")}, or one worker with: {Hint.Command("serve", "training")}",
            ["does", "host", "device", "works on", ">since", "has"],
            worker =>
            [
                worker.Kind, $"{worker.Host}/{worker.ProcessId}", worker.HasDevice ? worker.Device : "waits for one", worker.Subject ?? "–", Show.Between(worker.JobStartedAt, to: null),
                string.Join(", ", worker.Labels.Where(label => !NotShown.Contains(label.Key, StringComparer.Ordinal)).Select(label => $"{label.Key}={label.Value}")),
            ]);
        return 0;
    }

    private static JsonNode ToJson(WorkerRow worker) => new JsonObject
    {
        ["id"] = worker.Id,
        ["does"] = worker.Kind,
        ["host"] = worker.Host,
        ["processId"] = worker.ProcessId,
        ["device"] = worker.HasDevice ? worker.Device : null,
        ["labels"] = Screen.ToJson(worker.Labels),
        ["job"] = worker.JobId,
        ["worksOn"] = worker.Subject,
        ["worksSince"] = worker.JobStartedAt is { } since ? DateTimeOffset.FromUnixTimeMilliseconds(since) : null,
        ["startedAt"] = DateTimeOffset.FromUnixTimeMilliseconds(worker.StartedAt),
        ["seenAt"] = DateTimeOffset.FromUnixTimeMilliseconds(worker.SeenAt),
    };
}
