using System.CommandLine;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Storage.Work;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml queue</c>: what waits, and for what.</summary>
internal static class QueueCommand
{
    public static Command Create()
    {
        var command = new DocumentedCommand("queue", "List what waits for a worker, in the order in which it will be done, and why each waits")
        {
            Details =
                """
                First comes what is more urgent (train --priority); then the dataset with the fewest trainings under way or of the last hour;
                then what was asked for first. Low priority goes with the normal one after a day.
                """,
            Examples = ["queue", "queue --json", "queue --settings dml.yaml"],
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
            await opened.Database.Waiting(kind: null, cancel), ToJson, "Nothing waits.", ["job", "of", "priority", "needs", ">waits", "for"],
            job => [job.Kind, job.Subject, PriorityOf(job), job.Needs ?? "", Show.Between(job.Since, to: null), job.Why]);
        return 0;
    }

    private static string PriorityOf(WaitingJob job) => Enum.IsDefined((JobPriority)job.Priority) ? ((JobPriority)job.Priority).Name() : $"{job.Priority}";

    private static JsonNode ToJson(WaitingJob job) => new JsonObject
    {
        ["job"] = job.Id,
        ["kind"] = job.Kind,
        ["subject"] = job.Subject,
        ["dataset"] = job.Share,
        ["priority"] = PriorityOf(job),
        ["needs"] = job.Needs,
        ["since"] = DateTimeOffset.FromUnixTimeMilliseconds(job.Since),
        ["why"] = job.Why,
    };
}
