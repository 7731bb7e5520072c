using DmlPipeline.Storage;
using MassTransit;

namespace DmlPipeline.Hosting;

public static class ConsumeOnce
{
    /// <summary>
    /// Runs the effect of a message in one transaction with its inbox row and with whatever it publishes, so that a redelivered
    /// message has no second effect. The message is acknowledged when this returns.
    /// </summary>
    public static Task Once<T>(this Database database, ConsumeContext<T> context, object consumer, Func<Transaction, T, Task> effect) where T : class =>
        database.Write(async transaction =>
        {
            var id = context.MessageId ?? throw new InvalidOperationException($"A {typeof(T).Name} arrived without a message id.");
            if (await transaction.Receive(id, consumer.GetType().Name)) await effect(transaction, context.Message);
        }, context.CancellationToken);
}
