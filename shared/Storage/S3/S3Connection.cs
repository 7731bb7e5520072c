using System.Diagnostics;
using Amazon.Runtime;
using Amazon.S3;

namespace DmlPipeline.Storage.S3;

/// <summary>Sends requests, and sends them again with growing pauses when what went wrong may pass.</summary>
internal sealed class S3Connection : IDisposable
{
    private readonly AmazonS3Client client;

    public S3Connection(S3Settings settings)
    {
        Settings = settings;
        client = new AmazonS3Client(new BasicAWSCredentials(settings.AccessKey, settings.SecretKey), new AmazonS3Config
        {
            ServiceURL = settings.Endpoint.ToString(),
            ForcePathStyle = true,
            AuthenticationRegion = settings.Region,
            // With the SDK's newer checksums by default, servers that do not know them refuse every upload.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            // Repeated here, where the pauses outlast a server that restarts.
            MaxErrorRetry = 0,
            Timeout = settings.RequestTimeout,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            MaxConnectionsPerServer = 64,
        });
    }

    public S3Settings Settings { get; }

    public string Bucket => Settings.Bucket;

    /// <param name="action">What is done, for people: <c>read</c>, <c>write</c>, ….</param>
    /// <param name="key">The object, or null when it is about the bucket.</param>
    /// <param name="request">Must be able to run again.</param>
    /// <param name="cancel">Ends the waiting too.</param>
    /// <exception cref="AmazonS3Exception">An answer that the caller understands: <see cref="S3Errors.IsAnswer"/>.</exception>
    /// <exception cref="StoreException">Anything else, after repeating what may pass.</exception>
    public Task<T> Call<T>(string action, string? key, Func<IAmazonS3, CancellationToken, Task<T>> request, CancellationToken cancel) =>
        Call(action, key, request, Settings.GiveUpAfter, cancel);

    public async Task<T> Call<T>(string action, string? key, Func<IAmazonS3, CancellationToken, Task<T>> request, TimeSpan giveUpAfter, CancellationToken cancel)
    {
        var patience = new Patience(giveUpAfter);
        while (true)
        {
            try
            {
                return await request(client, cancel);
            }
            catch (AmazonS3Exception e) when (S3Errors.IsAnswer(e))
            {
                throw;
            }
            catch (Exception e) when (!cancel.IsCancellationRequested && e is not StoreException)
            {
                if (!S3Errors.Passes(e) || !await patience.Wait(cancel)) throw S3Errors.Explain(e, Settings, action, key);
            }
        }
    }

    public void Dispose() => client.Dispose();
}
