namespace DmlPipeline.Learning.Data;

/// <summary>Keeps what two neighbouring epochs were planned to be: workers that run ahead cross the border between them at different times.</summary>
internal sealed class EpochCache<T>(Func<long, T> plan) where T : class
{
    private readonly Lock gate = new();
    private (long Epoch, T? Plan) even = (-1, null);
    private (long Epoch, T? Plan) odd = (-1, null);

    public T Get(long epoch)
    {
        lock (gate)
        {
            ref var slot = ref (epoch % 2 == 0 ? ref even : ref odd);
            if (slot.Epoch != epoch) slot = (epoch, plan(epoch));
            return slot.Plan!;
        }
    }
}
