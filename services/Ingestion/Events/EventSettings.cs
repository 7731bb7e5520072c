using DmlPipeline.Hosting.Messaging;

namespace DmlPipeline.Ingestion.Events;

/// <summary>How the store tells of new objects.</summary>
public sealed record EventSettings
{
    /// <summary>Whether a store that cannot be asked to is an error. If not, its inbox is listed as if there were no events.</summary>
    public bool IsRequired { get; init; }

    /// <summary>What the store calls the broker, when its administrator has named it one: MinIO's <c>arn:minio:sqs::PRIMARY:amqp</c>. Else it is told of <see cref="Broker"/>.</summary>
    public string? Target { get; init; }

    /// <summary>The broker as the store reaches it, and who the store is there.</summary>
    public required BusSettings Broker { get; init; }
}
