using Amazon.S3.Model;

namespace DmlPipeline.Storage.S3;

/// <summary>
/// Lets one writer of a key go ahead at a time, with nothing but writes, deletes and a consistent listing, for servers without conditional
/// writes. A writer puts a claim and lists the claims: whoever sees only its own may go, since any later one will see it; whoever sees
/// another's withdraws and comes again after a random pause. A claim whose writer died is void after a while.
/// </summary>
internal static class S3Claim
{
    private static readonly TimeSpan WorkWithin = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan VoidAfter = TimeSpan.FromMinutes(2);

    /// <summary>Where claims lie; not seen by listings of the store.</summary>
    public const string Folder = $"{ObjectKey.PartialPrefix}claims/";

    /// <returns>False when something has the key already.</returns>
    public static async Task<bool> Alone(
        S3Connection s3, string key, Func<CancellationToken, Task<bool>> isTaken, Func<CancellationToken, Task> write, CancellationToken cancel)
    {
        var patience = new Patience(VoidAfter * 2);
        while (!await isTaken(cancel))
        {
            // What runs longer than this could meet the writer that holds its claim for void.
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            deadline.CancelAfter(WorkWithin);
            var claim = $"{Folder}{key}/{Guid.NewGuid():N}";
            await s3.Call("claim", key, (client, token) => client.PutObjectAsync(new PutObjectRequest { BucketName = s3.Bucket, Key = claim, ContentBody = "" }, token), deadline.Token);
            try
            {
                if (await IsOnly(s3, key, claim, deadline.Token))
                {
                    if (await isTaken(deadline.Token)) return false;
                    await write(deadline.Token);
                    return true;
                }
            }
            finally
            {
                await s3.Call("release", key, (client, token) => client.DeleteObjectAsync(s3.Bucket, claim, token), CancellationToken.None);
            }
            if (!await patience.Wait(cancel)) throw new StoreException(null, $"Other writers kept claiming '{key}'. Try again.");
        }
        return false;
    }

    private static async Task<bool> IsOnly(S3Connection s3, string key, string claim, CancellationToken cancel)
    {
        var claims = await S3Listing.List(s3, $"{Folder}{key}/", cancel).ToListAsync(cancel);
        // Both times are the server's: nobody's clock but its own decides what is void.
        var now = claims.FirstOrDefault(other => other.Key == claim)?.LastModified;
        return now is not null && claims.All(other => other.Key == claim || now - other.LastModified > VoidAfter);
    }
}
