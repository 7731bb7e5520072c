using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

/// <summary>All that goes wrong.</summary>
internal static class FaultCatalogue
{
    /// <summary>How services are ended; a run is asked for a number of these.</summary>
    public static readonly IReadOnlyList<Fault> Kills = [new KillAtAnyMoment(), new KillAfterCommit(), new KillBeforeAcknowledgement()];

    /// <summary>The rest, one after the other, in an order that the seed decides.</summary>
    public static readonly IReadOnlyList<Fault> Others =
    [
        new BrokerConnectionsClosed(),
        new ServerRestarted("broker", Servers.Broker, "RabbitMQ", "stops in order", TimeSpan.FromSeconds(5)),
        new ServerKilled("broker", Servers.Broker, "RabbitMQ", "from its disk"),
        new ServerRestarted("database", Servers.Database, "PostgreSQL", "breaks every transaction off, stops", TimeSpan.FromSeconds(8)),
        new ServerKilled("database", Servers.Database, "PostgreSQL", "from its log"),
        new StoreDown(), new StoreKilled(), new StoreSlow(), new StoreConnectionsCut(),
        new AnswersLost("broker", pipeline => pipeline.Broker), new AnswersLost("database", pipeline => pipeline.DatabaseServer), new AnswersLost("store", pipeline => pipeline.StoreServer),
        new MessagesRepeated(), new MessagesCopied(), new MessagesLost(),
        new ClockJump(), new DiskFull(), new Frozen(),
    ];

    public static readonly IReadOnlyList<Fault> All = [.. Kills, .. Others];
}
