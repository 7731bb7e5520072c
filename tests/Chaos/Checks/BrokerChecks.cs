using DmlPipeline.Chaos.Rig;
using DmlPipeline.Hosting.Messaging;

namespace DmlPipeline.Chaos.Checks;

/// <summary>What is left on the broker.</summary>
internal static class BrokerChecks
{
    private const int Most = 1000;

    public static async Task<IReadOnlyList<Check>> Of(Pipeline pipeline, CancellationToken cancel)
    {
        var waiting = await Waiting(pipeline, cancel);
        await using var letters = await DeadLetters.Open(pipeline.Bus, cancel);
        return
        [
            Check.None("messages that wait in queues", waiting.Where(queue => queue.Messages > 0 && !queue.Name.EndsWith("_error", StringComparison.Ordinal)).Select(queue => $"{queue.Name}: {queue.Messages}")),
            Check.None("dead letters", (await letters.List(_ => true, Most, cancel)).Select(letter => $"{letter.Type} {letter.Id}: {letter.Reason}")),
        ];
    }

    public static async Task<IReadOnlyList<(string Name, long Messages)>> Waiting(Pipeline pipeline, CancellationToken cancel) =>
        [.. (await pipeline.Servers.Run(Servers.Broker, "queues", [], cancel))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).Where(parts => parts.Length == 2).Select(parts => (parts[0], long.Parse(parts[1])))];
}
