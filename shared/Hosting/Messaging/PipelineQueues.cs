using DmlPipeline.Contracts;

namespace DmlPipeline.Hosting.Messaging;

/// <param name="Name">Named after its consumer: PrepareDatasetConsumer reads <c>prepare-dataset</c>.</param>
/// <param name="Message">The message type that it receives.</param>
public sealed record PipelineQueue(string Name, Type Message)
{
    /// <summary>Where messages go that no attempt could consume.</summary>
    public string ErrorQueue => ErrorQueueOf(Name);

    /// <summary>The exchange to which this message type is published: its name on the wire, namespace and type.</summary>
    public string Exchange => $"{Message.Namespace}:{Message.Name}";

    public static string ErrorQueueOf(string queue) => $"{queue}_error";
}

/// <summary>
/// Every queue of the pipeline. Each process declares all of them when it starts: a message that is published before its queue
/// exists would vanish, and the service that reads the queue may be started last.
/// </summary>
public static class PipelineQueues
{
    public static readonly IReadOnlyList<PipelineQueue> All =
    [
        new("object-dropped", typeof(ObjectDropped)),
        new("prepare-dataset", typeof(PrepareDataset)),
        new("decide-training", typeof(DatasetReady)),
        new("decide-scheduled-training", typeof(ScheduleFired)),
        new("train-model", typeof(TrainModel)),
        new("evaluate-model", typeof(ModelTrained)),
        new("register-model", typeof(ModelEvaluated)),
    ];
}
