using System.Diagnostics.Metrics;
using MassTransit;

namespace DmlPipeline.Hosting.Messaging;

/// <summary>Counts the messages of one queue that wait in this process for a database or a store: <c>dml_messages_waiting</c>. Why they do is in the log.</summary>
internal sealed class WaitingMessages(string queue) : IRetryObserver
{
    private static readonly UpDownCounter<int> Waiting = new Meter("DmlPipeline").CreateUpDownCounter<int>(
        "dml.messages.waiting", description: "Messages that wait in this process for a database or a store that is away or full");

    public Task PostFault<T>(RetryContext<T> context) where T : class, PipeContext => Change(+1);

    public Task PreRetry<T>(RetryContext<T> context) where T : class, PipeContext => Change(-1);

    // What a stop breaks off comes here without having been tried again; its process ends, and the count with it.
    public Task RetryFault<T>(RetryContext<T> context) where T : class, PipeContext => Task.CompletedTask;

    public Task RetryComplete<T>(RetryContext<T> context) where T : class, PipeContext => Task.CompletedTask;

    public Task PostCreate<T>(RetryPolicyContext<T> context) where T : class, PipeContext => Task.CompletedTask;

    private Task Change(int by)
    {
        Waiting.Add(by, new KeyValuePair<string, object?>("queue", queue));
        return Task.CompletedTask;
    }
}
