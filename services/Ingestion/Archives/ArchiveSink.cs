namespace DmlPipeline.Ingestion.Archives;

/// <summary>Receives what an archive holds, in its order.</summary>
internal abstract class ArchiveSink
{
    /// <summary>Says before its bytes are read whether a member is wanted, and refuses or ignores it if not.</summary>
    /// <param name="rawName">As the archive spells it.</param>
    /// <param name="path">The normalised name when the answer is yes.</param>
    public abstract bool Wants(string rawName, out string path);

    public abstract ValueTask Accept(string path, byte[] bytes, CancellationToken cancel);

    /// <summary>One member cannot be taken.</summary>
    public abstract void Refuse(string rawName, string reason, long? bytes);

    /// <summary>The archive as a whole, or its rest, cannot be read.</summary>
    public abstract void RefuseRest(string reason);
}
