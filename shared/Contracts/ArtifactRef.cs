namespace DmlPipeline.Contracts;

/// <summary>Points at an immutable object in the artifact store. Messages carry references, never data.</summary>
/// <param name="Key">Object key, for example <c>datasets/birds/v1/manifest.json</c>.</param>
/// <param name="Sha256">Lower-case hexadecimal SHA-256 of the content.</param>
/// <param name="Bytes">Length of the content.</param>
public sealed record ArtifactRef(string Key, string Sha256, long Bytes);
