namespace DmlPipeline.Contracts;

/// <summary>Event: objects were seen under <c>inbox/&lt;dataset&gt;/</c>. A hint: the periodic listing is the truth.</summary>
public sealed record ObjectDropped(string Dataset, IReadOnlyList<DroppedObject> Objects);

/// <param name="Key">Full object key, below <c>inbox/&lt;dataset&gt;/</c>.</param>
/// <param name="ETag">Changes whenever the content changes.</param>
/// <param name="Bytes">Length of the object.</param>
public sealed record DroppedObject(string Key, string ETag, long Bytes);
