using System.Net;
using System.Text;
using DmlPipeline.Cli;
using DmlPipeline.Tests.Services.Servers;

namespace DmlPipeline.Tests.Pipeline.Serve;

public sealed class StoreOutageTests : IDisposable
{
    private const string Refusal = "<Error><Code>RequestTimeTooSkewed</Code><Message>too far</Message></Error>";
    private const string NothingThere = """<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>""";

    private readonly TemporaryHome home = new();
    private readonly HttpListener server = new();

    public void Dispose()
    {
        server.Close();
        home.Dispose();
    }

    [Fact]
    public async Task A_service_whose_clock_the_store_refuses_waits_for_somebody_to_set_it()
    {
        var address = server.Listen();
        var refused = Serve(refusals: 2);
        using var stop = new CancellationTokenSource();
        using var output = new StringWriter();
        using var error = new StringWriter();

        var serving = Task.Run(() => CommandLine.Run(
            ["serve", "all", "--json", "--home", home.Home.Path, "--listen", "127.0.0.1:0", "--store", $"{address}bucket", "--store-access-key", "a", "--store-secret-key-file", Secret()],
            output, TextWriter.Synchronized(error), stop.Token));
        await Task.WhenAny(serving, refused);
        for (var i = 0; i < 300 && output.ToString().Length == 0 && !serving.IsCompleted; i++) await Task.Delay(100);
        await stop.CancelAsync();

        (await serving).ShouldBe(0, error.ToString());
        output.ToString().ShouldContain("\"registry\"");
        error.ToString().ShouldContain("waiting for the store: The clocks of this machine and of the S3 server");
    }

    private string Secret()
    {
        var file = Path.Combine(Directory.CreateDirectory(home.Home.Path).FullName, "secret");
        File.WriteAllText(file, "b");
        return file;
    }

    /// <returns>When it has refused so often; it answers on.</returns>
    private Task Serve(int refusals)
    {
        var done = new TaskCompletionSource();
        _ = Task.Run(async () =>
        {
            while (true)
            {
                var context = await server.GetContextAsync();
                var isRefused = refusals-- > 0;
                context.Response.StatusCode = isRefused ? 403 : 200;
                context.Response.ContentType = "application/xml";
                context.Response.Close(Encoding.UTF8.GetBytes(isRefused ? Refusal : NothingThere), willBlock: true);
                if (refusals <= 0) done.TrySetResult();
            }
        });
        return done.Task;
    }
}
