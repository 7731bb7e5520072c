using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

internal sealed class MessagesCopied : Fault
{
    public override string Kind => "messages";

    public override string Name => "messages-copied";

    public override string Does => "every message sent so far comes again as a new one, in random order";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        var count = await pipeline.Patiently(
            database => database.WriteStatement(
                transaction => transaction.Execute(
                    """
                    insert into outbox (message_id, type, body_json, created_at)
                    select gen_random_uuid()::text, type, body_json, max(created_at) from outbox where sent_at is not null group by type, body_json order by random()
                    """),
                cancel), cancel);
        return $"{count} messages";
    }
}
