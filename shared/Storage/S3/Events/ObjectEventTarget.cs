namespace DmlPipeline.Storage.S3.Events;

/// <summary>Where a server is to tell of objects that were written.</summary>
public sealed record ObjectEventTarget
{
    /// <summary>What the server calls a broker that its administrator has named to it, as MinIO's <c>arn:minio:sqs::PRIMARY:amqp</c>; null to name it one, as Ceph wants it.</summary>
    public string? Arn { get; init; }

    /// <summary>The broker as the server reaches it, <c>amqp://user:password@host:port/virtual-host</c>; not used with an <see cref="Arn"/>.</summary>
    public required Uri Broker { get; init; }

    /// <summary>The exchange to which the server publishes; not used with an <see cref="Arn"/>.</summary>
    public required string Exchange { get; init; }
}
