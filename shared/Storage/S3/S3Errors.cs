using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Amazon.Runtime;
using Amazon.S3;

namespace DmlPipeline.Storage.S3;

/// <summary>Which errors pass by themselves, which are answers, and what to tell people of the rest.</summary>
internal static class S3Errors
{
    /// <summary>Answers that the caller expects and understands: not there, there already, changed meanwhile, or an upload that is no more.</summary>
    public static bool IsAnswer(AmazonS3Exception error) =>
        error.ErrorCode is "NoSuchKey" or "NoSuchUpload" or "InvalidPart" or "PreconditionFailed"
        || error.ErrorCode != "NoSuchBucket" && error.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.PreconditionFailed;

    /// <summary>Whether repeating the request may help.</summary>
    public static bool Passes(Exception? error) => error switch
    {
        null => false,
        StoreException => false,
        AmazonServiceException { StatusCode: HttpStatusCode.InsufficientStorage or HttpStatusCode.NotImplemented } => false,
        AmazonServiceException service => (int)service.StatusCode is 408 or 429 or >= 500 || service.ErrorCode is "SlowDown" or "RequestTimeout" or "IncompleteBody" or "ConditionalRequestConflict" || Passes(service.InnerException),
        OperationCanceledException or TimeoutException => true, // a request that took too long; the caller's own wish to end is looked at before
        AmazonClientException client => Passes(client.InnerException),
        _ => IsOfNetwork(error),
    };

    /// <summary>The error as a <see cref="StoreException"/> that names cause and remedy.</summary>
    public static StoreException Explain(Exception error, S3Settings settings, string action, string? key)
    {
        var what = key is null ? action : $"{action} '{key}'";
        if (error is not AmazonServiceException answer || (int)answer.StatusCode == 0)
            return error is OperationCanceledException or TimeoutException || IsOfNetwork(error) || error.InnerException is not null && IsOfNetwork(error.InnerException)
                ? Outage(S3Settings.Address, $"The S3 server at {settings.Endpoint} gave no answer to {what} ({Innermost(error)}). Is it running, and is the address in {S3Settings.Address} right?")
                : new(null, $"{what} failed: {Innermost(error)}", error);
        return answer.ErrorCode switch
        {
            "NoSuchBucket" => Outage(S3Settings.Address, $"There is no bucket '{settings.Bucket}' at {settings.Endpoint}. Create it, or correct {S3Settings.Address}."),
            "InvalidAccessKeyId" => Outage(S3Settings.AccessKeyName, $"The S3 server at {settings.Endpoint} does not know the access key '{settings.AccessKey}'. Correct {S3Settings.AccessKeyName}."),
            "SignatureDoesNotMatch" => Outage(S3Settings.SecretKeyName, $"The secret key does not belong to the access key '{settings.AccessKey}' at {settings.Endpoint}. Correct {S3Settings.SecretKeyName}."),
            "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException" => Outage(S3Settings.RegionName, $"The bucket '{settings.Bucket}' is not in the region '{settings.Region}'. Correct {S3Settings.RegionName}. ({answer.Message})"),
            "RequestTimeTooSkewed" => Outage(null, $"The clocks of this machine and of the S3 server at {settings.Endpoint} differ by more than 15 minutes. Set this machine's clock."),
            "QuotaExceeded" or "XMinioStorageFull" or "XMinioAdminBucketQuotaExceeded" => Full(),
            _ when answer.StatusCode == HttpStatusCode.InsufficientStorage => Full(),
            "EntityTooLarge" => new(null, $"The S3 server at {settings.Endpoint} takes no object as large as that: {what} failed. Raise its limit, or the quota of the bucket '{settings.Bucket}'.", error) { IsFull = true },
            _ when answer.StatusCode == HttpStatusCode.Forbidden => Outage(
                S3Settings.AccessKeyName, $"The access key '{settings.AccessKey}' may not {what} in the bucket '{settings.Bucket}', or its secret is wrong. Grant it, or correct {S3Settings.AccessKeyName} and {S3Settings.SecretKeyName}."),
            _ when (int)answer.StatusCode is 429 or >= 500 => Outage(null, $"The S3 server at {settings.Endpoint} kept failing to {what} ({(int)answer.StatusCode} {answer.ErrorCode}). See its log."),
            _ => new(null, $"The S3 server at {settings.Endpoint} refused to {what}: {(int)answer.StatusCode} {answer.ErrorCode} {answer.Message}", error),
        };

        StoreException Outage(string? setting, string message) => new(setting, message, error) { IsOutage = true };

        StoreException Full() => new(null, $"The S3 server at {settings.Endpoint} has no room left for {what}. Free some, or raise the quota of the bucket '{settings.Bucket}'.", error) { IsFull = true };
    }

    private static bool IsOfNetwork(Exception error) =>
        error is HttpRequestException { InnerException: not AuthenticationException } or SocketException or IOException and not FileNotFoundException;

    private static string Innermost(Exception error) => error is OperationCanceledException ? "it took too long" : error.GetBaseException().Message.TrimEnd('.');
}
