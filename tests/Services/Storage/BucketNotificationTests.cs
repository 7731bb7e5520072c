using System.Net;
using System.Text;
using System.Xml.Linq;
using DmlPipeline.Storage.S3;
using DmlPipeline.Storage.S3.Events;
using DmlPipeline.Tests.Services.Servers;

namespace DmlPipeline.Tests.Services.Storage;

/// <summary>What a server is asked whose administrator has named the broker to it, as MinIO's has.</summary>
public sealed class BucketNotificationTests : IDisposable
{
    private const string Target = "arn:minio:sqs::PRIMARY:amqp";

    // What somebody else asked for.
    private const string Before =
        """
        <NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><QueueConfiguration><Id>others</Id>
          <Filter><S3Key><FilterRule><Name>suffix</Name><Value>.log</Value></FilterRule></S3Key></Filter>
          <Event>s3:ObjectCreated:Put</Event><Queue>arn:minio:sqs::OTHERS:webhook</Queue></QueueConfiguration></NotificationConfiguration>
        """;

    private readonly TemporaryFolder folder = new();
    private readonly HttpListener server = new();

    public void Dispose()
    {
        server.Close();
        folder.Dispose();
    }

    [Fact]
    public async Task A_server_with_a_name_for_the_broker_is_asked_for_events_to_a_queue_of_that_name_beside_what_others_asked_for()
    {
        var address = server.Listen();
        var asked = Serve();
        using var connection = new S3Connection(new S3Settings { Endpoint = address, Bucket = "bucket", AccessKey = "a", SecretKey = "b", CacheFolder = folder.Path });

        await BucketNotification.Register(connection, "inbox/", new ObjectEventTarget { Arn = Target, Broker = new Uri("amqp://unused"), Exchange = "unused" }, default);

        var queues = (await asked).Root.ShouldNotBeNull().Elements().ToList();
        queues.ShouldAllBe(queue => queue.Name.LocalName == "QueueConfiguration");
        queues.Select(queue => (Text(queue, "Id"), Text(queue, "Queue"), Text(queue, "Event"), Text(queue, "Name"), Text(queue, "Value"))).ShouldBe(
            [("others", "arn:minio:sqs::OTHERS:webhook", "s3:ObjectCreated:Put", "suffix", ".log"), ("dml-bucket", Target, "s3:ObjectCreated:*", "prefix", "inbox/")]);
    }

    private static string Text(XElement element, string name) => element.Descendants().Single(inner => inner.Name.LocalName == name).Value;

    /// <returns>What is put in place of what was there.</returns>
    private async Task<XDocument> Serve()
    {
        while (true)
        {
            var context = await server.GetContextAsync();
            using var reader = new StreamReader(context.Request.InputStream);
            var body = await reader.ReadToEndAsync();
            var isRead = context.Request.HttpMethod == "GET";
            context.Response.Close(isRead ? Encoding.UTF8.GetBytes(Before) : [], willBlock: true);
            if (!isRead) return XDocument.Parse(body);
        }
    }
}
