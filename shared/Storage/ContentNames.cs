using System.Security.Cryptography;
using System.Text.RegularExpressions;
using DmlPipeline.Contracts;

namespace DmlPipeline.Storage;

/// <summary>
/// Keys that hold the hash of what lies there. Two workers who both believe that a job is theirs, because one was frozen past its lease,
/// may write at any moment: each writes beside the other, and what the state refers to stays as it is.
/// </summary>
public static partial class ContentNames
{
    private const int HashLength = 8;

    /// <summary>Writes content that can seek under the key with its hash in it: <c>runs/1/evaluation.json</c> becomes <c>runs/1/evaluation-0a1b2c3d.json</c>.</summary>
    public static async Task<ArtifactRef> PutByContent(this IArtifactStore store, string key, Stream content, CancellationToken cancel)
    {
        var begin = content.Position;
        var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancel));
        content.Position = begin;
        var extension = Path.GetExtension(key);
        return await store.Put($"{key[..^extension.Length]}-{hash[..HashLength]}{extension}", content, cancel);
    }

    /// <summary>Whether the key was made so.</summary>
    public static bool IsOne(string key) => Pattern().IsMatch(key);

    [GeneratedRegex(@"-[0-9a-f]{8}\.[a-z]+\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Pattern();
}
