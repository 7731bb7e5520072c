using Amazon.Runtime;
using Amazon.S3;
using DmlPipeline.Storage.S3;
using DmlPipeline.Tests.Services.Servers;

namespace DmlPipeline.Tests.Services.Storage;

internal static class S3Samples
{
    /// <summary>A bucket of a test's own, not made yet, at the real server or at what stands before it.</summary>
    public static async Task<S3Settings> NewBucket(TemporaryFolder folder, Uri? endpoint = null)
    {
        var server = await TestServer.S3;
        return new S3Settings
        {
            Endpoint = endpoint ?? new Uri(server["S3_ENDPOINT"]), Bucket = $"test-{Guid.NewGuid():N}", AccessKey = server["S3_ACCESS_KEY"], SecretKey = server["S3_SECRET_KEY"],
            CacheFolder = Path.Combine(folder.Path, "cache"), PartBytes = 5 << 20, GiveUpAfter = TimeSpan.FromSeconds(20),
        };
    }

    /// <summary>A client that knows nothing of the store, as other programs that use the bucket.</summary>
    public static AmazonS3Client PlainClient(S3Settings settings) => new(
        new BasicAWSCredentials(settings.AccessKey, settings.SecretKey),
        new AmazonS3Config
        {
            ServiceURL = settings.Endpoint.ToString(), ForcePathStyle = true, AuthenticationRegion = settings.Region,
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED, ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        });
}
