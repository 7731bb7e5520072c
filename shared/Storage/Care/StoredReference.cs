using DmlPipeline.Contracts;

namespace DmlPipeline.Storage.Care;

/// <summary>An object that the state, or another object, counts on.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Sha256">Its recorded hash; null where none was recorded.</param>
/// <param name="Bytes">Its recorded length; null where none was recorded.</param>
/// <param name="Of">What counts on it, for people.</param>
public sealed record StoredReference(string Key, string? Sha256, long? Bytes, string Of)
{
    public StoredReference(ArtifactRef reference, string of)
        : this(reference.Key, reference.Sha256, reference.Bytes, of)
    {
    }
}
