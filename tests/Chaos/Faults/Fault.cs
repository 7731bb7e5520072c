using DmlPipeline.Chaos.Rig;

namespace DmlPipeline.Chaos.Faults;

/// <summary>Something that goes wrong. A new one is a file in this folder and a line in <see cref="FaultCatalogue"/>.</summary>
internal abstract class Fault
{
    /// <summary>What it befalls: <c>kill</c>, <c>broker</c>, <c>database</c>, <c>store</c>, <c>messages</c>, <c>worker</c>.</summary>
    public abstract string Kind { get; }

    public abstract string Name { get; }

    /// <summary>In a line, for the list and for people who read a run's output.</summary>
    public abstract string Does { get; }

    /// <summary>Does it, and undoes what can be undone.</summary>
    /// <returns>Whom it struck; null when there was nobody to strike.</returns>
    public abstract Task<string?> Strike(Pipeline pipeline, Random random, CancellationToken cancel);

    public bool Goes(string by) => by == Kind || by == Name;
}
