namespace DmlPipeline.Chaos.Faults;

/// <summary>All that goes wrong.</summary>
internal static class FaultCatalogue
{
    /// <summary>How services are ended; a run is asked for a number of these.</summary>
    public static readonly IReadOnlyList<Fault> Kills = [new KillAtAnyMoment(), new KillAfterCommit(), new KillBeforeAcknowledgement()];

    /// <summary>The rest, one after the other, in an order that the seed decides.</summary>
    public static readonly IReadOnlyList<Fault> Others =
    [
        new BrokerConnectionsClosed(), new BrokerRestarted(), new BrokerKilled(),
        new DatabaseRestarted(), new DatabaseKilled(),
        new StoreDown(), new StoreKilled(), new StoreSlow(), new StoreConnectionsCut(),
        new AnswersLost("broker", pipeline => pipeline.Broker), new AnswersLost("database", pipeline => pipeline.DatabaseServer), new AnswersLost("store", pipeline => pipeline.StoreServer),
        new MessagesRepeated(), new MessagesCopied(), new MessagesLost(),
        new ClockJump(), new DiskFull(), new Frozen(),
    ];

    public static readonly IReadOnlyList<Fault> All = [.. Kills, .. Others];
}
