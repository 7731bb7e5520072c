using System.Security.Cryptography;

namespace DmlPipeline.Storage.Care;

/// <summary>How far a verification is.</summary>
/// <param name="Objects">Objects read so far, and how many there are.</param>
/// <param name="All">How many objects will be read.</param>
/// <param name="Bytes">Bytes read so far.</param>
/// <param name="AllBytes">Bytes that will be read.</param>
public sealed record VerificationProgress(int Objects, int All, long Bytes, long AllBytes);

/// <param name="Key">The object.</param>
/// <param name="Of">What counts on it.</param>
/// <param name="Problem"><c>missing</c>, <c>damaged</c> or <c>unreadable</c>.</param>
/// <param name="Detail">What is wrong, in a sentence.</param>
public sealed record StoreProblem(string Key, string Of, string Problem, string Detail);

/// <param name="Objects">Objects that were read whole and compared with their recorded hash.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="WithoutHash">Objects that are there but of which no hash was recorded.</param>
/// <param name="Problems">What is wrong, by key.</param>
public sealed record VerificationResult(int Objects, long Bytes, int WithoutHash, IReadOnlyList<StoreProblem> Problems);

/// <summary>Reads every object that the state counts on and compares it with the hash that was recorded when it was written.</summary>
public static class StoreVerification
{
    private const int AtOnce = 4;

    /// <param name="references">What must be there.</param>
    /// <param name="store">Where.</param>
    /// <param name="progress">Told now and then, from any thread.</param>
    /// <param name="cancel">Ends it.</param>
    public static async Task<VerificationResult> Run(
        IEnumerable<StoredReference> references, IArtifactStore store, Action<VerificationProgress>? progress, CancellationToken cancel)
    {
        var all = references.OrderBy(reference => reference.Key, StringComparer.Ordinal).ToList();
        var allBytes = all.Sum(reference => reference.Bytes ?? 0);
        var problems = new List<StoreProblem>();
        var (objects, bytes, withoutHash) = (0, 0L, 0);
        await Parallel.ForEachAsync(all, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel }, async (reference, token) =>
        {
            var problem = reference.Sha256 is null ? await Look(reference, store, token) : await Read(reference, store, Advance, token);
            lock (problems)
            {
                if (problem is not null) problems.Add(problem);
                else if (reference.Sha256 is null) withoutHash++;
                objects++;
            }
            Advance(0);
        });
        return new VerificationResult(objects - withoutHash - problems.Count, bytes, withoutHash, [.. problems.OrderBy(problem => problem.Key, StringComparer.Ordinal)]);

        void Advance(int read)
        {
            lock (problems)
            {
                bytes += read;
                progress?.Invoke(new VerificationProgress(objects, all.Count, bytes, allBytes));
            }
        }
    }

    private static async Task<StoreProblem?> Look(StoredReference reference, IArtifactStore store, CancellationToken cancel) =>
        await store.Find(reference.Key, cancel) is null ? Missing(reference) : null;

    private static async Task<StoreProblem?> Read(StoredReference reference, IArtifactStore store, Action<int> advance, CancellationToken cancel)
    {
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await using var stream = await store.OpenRead(reference.Key, cancel);
            var buffer = new byte[1 << 17];
            long length = 0;
            for (int read; (read = await stream.ReadAsync(buffer, cancel)) > 0; length += read)
            {
                hash.AppendData(buffer, 0, read);
                advance(read);
            }
            if (reference.Bytes is { } recorded && recorded != length) return Damaged(reference, $"it has {length:N0} bytes; {recorded:N0} were recorded");
            return Convert.ToHexStringLower(hash.GetHashAndReset()) == reference.Sha256 ? null : Damaged(reference, "its bytes do not have the recorded SHA-256");
        }
        catch (FileNotFoundException)
        {
            return Missing(reference);
        }
        catch (IOException e)
        {
            return new(reference.Key, reference.Of, "unreadable", e.Message);
        }
    }

    private static StoreProblem Missing(StoredReference reference) => new(reference.Key, reference.Of, "missing", "it is not in the store");

    private static StoreProblem Damaged(StoredReference reference, string detail) => new(reference.Key, reference.Of, "damaged", detail);
}
