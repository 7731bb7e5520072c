using DmlPipeline.Storage;

namespace DmlPipeline.Ingestion;

/// <summary>Objects that lie under <c>inbox/&lt;dataset&gt;/</c> and have settled: one upload, one version.</summary>
/// <param name="Objects">In any order; asked for once in a build.</param>
public sealed record Drop(string DropId, string Dataset, IAsyncEnumerable<StoredObject> Objects)
{
    public static string Prefix(string dataset) => $"inbox/{dataset}/";
}

/// <summary>How far a build has come.</summary>
/// <param name="Step"><c>reading</c>, <c>writing</c>.</param>
/// <param name="Done">Files read, or images written.</param>
/// <param name="Refused">Files refused so far.</param>
public sealed record IngestionProgress(string Step, int Done, int Refused);
