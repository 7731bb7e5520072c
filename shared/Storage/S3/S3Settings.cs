namespace DmlPipeline.Storage.S3;

/// <summary>Where the bucket is, who asks for it, and how patiently.</summary>
public sealed record S3Settings
{
    /// <summary>Names of settings, as errors use them.</summary>
    public const string Address = "store", AccessKeyName = "store-access-key", SecretKeyName = "store-secret-key", RegionName = "store-region", CacheName = "store-cache";

    /// <summary>Scheme, host and port, for example <c>http://127.0.0.1:9000</c>.</summary>
    public required Uri Endpoint { get; init; }

    public required string Bucket { get; init; }

    public required string AccessKey { get; init; }

    public required string SecretKey { get; init; }

    /// <summary>Most servers of one's own take any; it is part of every signature.</summary>
    public string Region { get; init; } = "us-east-1";

    /// <summary>Local copies of objects that are read at random: dataset shards, zip archives, weights.</summary>
    public required string CacheFolder { get; init; }

    /// <summary>The cache forgets what was used longest ago beyond this; 100 GiB.</summary>
    public long CacheBytes { get; init; } = 100L << 30;

    /// <summary>
    /// Objects longer than this are sent in parts of this size, which is also how much of them is in memory at a time, for each of
    /// <see cref="PartsAtOnce"/>. S3 allows no less than 5 MiB and no more than 10,000 parts.
    /// </summary>
    public int PartBytes { get; init; } = 16 << 20;

    public int PartsAtOnce { get; init; } = 3;

    /// <summary>Keys in one answer to a listing; servers give no more than 1,000.</summary>
    public int ListedAtOnce { get; init; } = 1000;

    /// <summary>Failed requests are repeated with growing pauses for so long: a server that restarts is waited for.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>A request, a part of an upload included, that takes longer than this is repeated.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>A download that brings not one byte for so long is taken up again where it stopped.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Reads <c>http[s]://host[:port]/bucket</c>.</summary>
    /// <exception cref="StoreException">It is no such address.</exception>
    public static (Uri Endpoint, string Bucket) ParseAddress(string address)
    {
        const string form = "write http[s]://HOST[:PORT]/BUCKET";
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.Host.Length == 0)
            throw new StoreException(Address, $"'{address}' is no address of a bucket: {form}.");
        if (uri.UserInfo.Length > 0)
            throw new StoreException(Address, $"The address of the store holds a user or a password, which logs would show: give them as {AccessKeyName} and {SecretKeyName}.");
        var bucket = uri.AbsolutePath.Trim('/');
        if (bucket.Length is < 3 or > 63 || uri.Query.Length > 0 || bucket.Any(c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('-' or '.')))
            throw new StoreException(Address, $"'{address}' names no bucket: {form}; a bucket's name has 3 to 63 lower-case letters, digits, '-' and '.'.");
        return (new Uri(uri.GetLeftPart(UriPartial.Authority)), bucket);
    }

    /// <summary>For people: without the keys.</summary>
    public override string ToString() => $"{Endpoint.GetLeftPart(UriPartial.Authority)}/{Bucket}";

    /// <exception cref="StoreException">A setting is missing or out of its range.</exception>
    internal void Check()
    {
        if (AccessKey.Length == 0) throw new StoreException(AccessKeyName, $"The store {this} needs an access key: set {AccessKeyName}.");
        if (SecretKey.Length == 0) throw new StoreException(SecretKeyName, $"The store {this} needs a secret key: set {SecretKeyName}.");
        if (PartBytes < 5 << 20) throw new StoreException(null, $"Parts of {PartBytes:N0} bytes are too small: S3 takes parts of 5 MiB and more.");
    }
}
