using System.Net;
using Amazon.S3;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;
using Microsoft.Data.Sqlite;

namespace DmlPipeline.Tests.Services.Storage;

public sealed class NoRoomTests
{
    private static readonly S3Settings Settings = new()
    {
        Endpoint = new Uri("http://s3.example.org"), Bucket = "dml", AccessKey = "key", SecretKey = "secret", CacheFolder = "cache",
    };

    [Theory]
    [InlineData(HttpStatusCode.Forbidden, "QuotaExceeded", true)]
    [InlineData(HttpStatusCode.InsufficientStorage, "XMinioStorageFull", true)]
    [InlineData(HttpStatusCode.InsufficientStorage, "", true)]
    [InlineData(HttpStatusCode.BadRequest, "XMinioAdminBucketQuotaExceeded", true)]
    [InlineData(HttpStatusCode.BadRequest, "EntityTooLarge", true)]
    [InlineData(HttpStatusCode.Forbidden, "AccessDenied", false)]
    [InlineData(HttpStatusCode.ServiceUnavailable, "SlowDown", false)]
    public void A_store_that_is_full_says_so_in_many_ways(HttpStatusCode status, string code, bool full)
    {
        var answer = new AmazonS3Exception("no", Amazon.Runtime.ErrorType.Sender, code, "request", status);

        var error = S3Errors.Explain(answer, Settings, "write", "datasets/a");

        error.IsFull.ShouldBe(full);
        NoRoom.IsMeantBy(new AggregateException(error)).ShouldBe(full);
        if (!full) return;
        error.Message.ShouldContain("'datasets/a'");
        error.Message.ShouldContain("quota of the bucket 'dml'");
        S3Errors.Passes(answer).ShouldBeFalse("waiting two minutes in the request would only hide it");
    }

    [Theory]
    [InlineData(28, true)]
    [InlineData(122, true)]
    [InlineData(5, false)]
    public void A_disk_that_is_full_is_told_from_one_that_is_broken(int errno, bool full) => NoRoom.IsMeantBy(new IOException("no", errno)).ShouldBe(full);

    [Fact]
    public void A_database_whose_disk_is_full_is_meant_as_well() => NoRoom.IsMeantBy(new SqliteException("database or disk is full", 13)).ShouldBeTrue();
}
