using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

internal sealed class MessagesRepeated : Fault
{
    public override string Kind => "messages";

    public override string Name => "messages-repeated";

    public override string Does => "every message sent so far is sent again, as the message that it was";

    public override async Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel)
    {
        var count = await pipeline.Patiently(
            database => database.WriteStatement(transaction => transaction.Execute("update outbox set sent_at = null, claimed_until = 0 where sent_at is not null"), cancel), cancel);
        return $"{count} messages";
    }
}
