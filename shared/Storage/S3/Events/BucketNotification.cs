using Amazon.S3;
using Amazon.S3.Model;

namespace DmlPipeline.Storage.S3.Events;

/// <summary>Asks a server to tell of objects that are written below a prefix. What others have asked of the same bucket stays.</summary>
internal static class BucketNotification
{
    // Of nothing else: Ceph 16 ends when several objects are deleted at once and somebody wants to hear of that.
    private static readonly List<EventType> Created = [EventType.ObjectCreatedAll];

    /// <exception cref="StoreException">The server refuses, or has no such events.</exception>
    public static async Task Register(S3Connection s3, string prefix, ObjectEventTarget target, CancellationToken cancel)
    {
        var name = $"dml-{s3.Bucket}";
        var arn = target.Arn ?? await EventTopic.Create(s3.Settings, name, target, cancel);
        var found = await s3.Call("read the notifications of", null, (client, token) => client.GetBucketNotificationAsync(s3.Bucket, token), cancel);
        var request = new PutBucketNotificationRequest
        {
            BucketName = s3.Bucket,
            TopicConfigurations = [.. (found.TopicConfigurations ?? []).Where(other => other.Id != name)],
            QueueConfigurations = [.. (found.QueueConfigurations ?? []).Where(other => other.Id != name)],
            LambdaFunctionConfigurations = found.LambdaFunctionConfigurations,
            EventBridgeConfiguration = found.EventBridgeConfiguration,
        };
        // In small letters, as MinIO wants them.
        var filter = new Filter { S3KeyFilter = new S3KeyFilter { FilterRules = [new FilterRule { Name = "prefix", Value = prefix }] } };
        if (arn.Contains(":sqs:", StringComparison.Ordinal)) request.QueueConfigurations.Add(new QueueConfiguration { Id = name, Queue = arn, Events = Created, Filter = filter });
        else request.TopicConfigurations.Add(new TopicConfiguration { Id = name, Topic = arn, Events = Created, Filter = filter });
        await s3.Call("set the notifications of", null, (client, token) => client.PutBucketNotificationAsync(request, token), cancel);
    }
}
