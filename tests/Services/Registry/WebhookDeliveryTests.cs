using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using DmlPipeline.Contracts;
using DmlPipeline.Registry.Webhooks;
using DmlPipeline.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Tests.Services.Registry;

/// <summary>Deliveries over real HTTP, to a receiver on this machine.</summary>
public sealed class WebhookDeliveryTests : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private readonly List<(IHeaderDictionary Headers, string Body)> received = [];
    private Database database = null!;
    private WebApplication receiver = null!;
    private Func<HttpContext, Task> answer = _ => Task.CompletedTask;

    private string SecretFile => Path.Combine(folder.Path, "secret");

    public async Task InitializeAsync()
    {
        database = await folder.OpenDatabase();
        await File.WriteAllTextAsync(SecretFile, "a secret of sixteen\n");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        receiver = builder.Build();
        receiver.Run(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            received.Add((new HeaderDictionary(context.Request.Headers.ToDictionary()), await reader.ReadToEndAsync()));
            await answer(context);
        });
        await receiver.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await receiver.DisposeAsync();
        database.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void A_signature_is_what_any_other_program_computes() =>
        WebhookSender.Signature("a secret of sixteen", 1_700_000_000, """{"a":1}""").ShouldBe("v1=fbd8ce753f0c0643c2d4fef4959c30b175367059e6f5453bddeb7b24a3d1ae24");

    [Fact]
    public async Task An_event_arrives_signed_and_is_done()
    {
        var webhook = await Add();
        await database.Write(transaction => transaction.Publish(new ModelPromoted("birds", 3, "champion", 2, "run", "better")), default);

        await Dispatch(delivery => delivery.State == "delivered");

        var (headers, body) = received.ShouldHaveSingleItem();
        headers["Dml-Event"].ToString().ShouldBe("ModelPromoted");
        headers["Dml-Signature"].ToString().ShouldBe(WebhookSender.Signature("a secret of sixteen", long.Parse(headers["Dml-Timestamp"].ToString()), body));
        var json = JsonNode.Parse(body)!;
        ((string?)json["event"], (string?)json["delivery"]).ShouldBe(("ModelPromoted", headers["Dml-Delivery"].ToString()));
        json["data"]!.Deserialize<ModelPromoted>(ContractJson.Compact)!.Version.ShouldBe(3);
        (await database.Deliveries(webhook.Id, 1, default)).Single().LastStatus.ShouldBe(200);
    }

    [Fact]
    public async Task A_receiver_that_fails_is_asked_again_later_with_the_same_delivery()
    {
        answer = context => Task.FromResult(context.Response.StatusCode = 503);
        var webhook = await Add();
        await new WebhookBook(database).Test(webhook.Id, default);

        await Dispatch(delivery => delivery.LastStatus is not null);

        var waiting = (await database.Deliveries(webhook.Id, 1, default)).Single();
        (waiting.State, waiting.Attempts, waiting.LastStatus).ShouldBe(("queued", 1, 503));
        (waiting.NotBefore - Database.Now).ShouldBeInRange(1, 10_000);
        answer = _ => Task.CompletedTask;
        await new WebhookBook(database).Replay(waiting.Id, default);
        await Dispatch(delivery => delivery.State == "delivered");
        received.Select(request => request.Headers["Dml-Delivery"].ToString()).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Nobody_is_followed_anywhere()
    {
        answer = context =>
        {
            context.Response.Redirect("/elsewhere");
            return Task.CompletedTask;
        };

        var attempt = await Send(allowed: "127.0.0.0/8");

        (attempt.Delivered, attempt.Status).ShouldBe((false, 302));
        attempt.Error.ShouldNotBeNull().ShouldContain("redirects are not followed");
        received.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    [InlineData("[::ffff:127.0.0.1]")]
    [InlineData("127.1.2.3")]
    [InlineData("2130706433")]
    public async Task This_machine_is_not_reached_unless_a_setting_allows_it(string host)
    {
        var attempt = await Send(allowed: null, host);

        attempt.Delivered.ShouldBeFalse();
        attempt.Error.ShouldNotBeNull().ShouldContain("no public address");
        received.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_receiver_that_never_ends_its_answer_is_left_alone()
    {
        answer = context => Task.Delay(TimeSpan.FromSeconds(20), context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);

        (await Send(allowed: "127.0.0.0/8", patience: 0.3)).Error.ShouldNotBeNull().ShouldContain("no answer within 0.3 s");
    }

    [Fact]
    public async Task Without_its_secret_nothing_is_sent()
    {
        File.Delete(SecretFile);

        (await Send(allowed: "127.0.0.0/8")).Error.ShouldNotBeNull().ShouldContain("secret cannot be read");
        await File.WriteAllTextAsync(SecretFile, "short");
        (await Send(allowed: "127.0.0.0/8")).Error.ShouldNotBeNull().ShouldContain("shorter than 16");
        received.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("ftp://example.org/")]
    [InlineData("/relative")]
    [InlineData("https://user:password@example.org/")]
    [InlineData("file:///etc/passwd")]
    public async Task Other_addresses_are_no_webhooks(string url) =>
        (await Should.ThrowAsync<WebhookException>(() => new WebhookBook(database).Add(url, [], null, "env:SECRET", "ann", default))).Message.ShouldContain("write https://host/path");

    private Task<WebhookRow> Add() => new WebhookBook(database).Add(receiver.Urls.Single(), [], null, $"file:{SecretFile}", "ann", default);

    private async Task<WebhookAttempt> Send(string? allowed, string host = "127.0.0.1", double patience = 10)
    {
        using var sender = new WebhookSender(PublicAddress.Networks(allowed), TimeSpan.FromSeconds(patience));
        var port = new Uri(receiver.Urls.Single()).Port;
        var webhook = new WebhookRow { Id = "hook", Url = $"http://{host}:{port}/", Events = "*", SecretRef = $"file:{SecretFile}", CreatedBy = "ann", CreatedAt = 0 };
        return await sender.Send(webhook, new WebhookDeliveryRow { Id = "delivery", WebhookId = "hook", Event = "Test", BodyJson = "{}", State = "queued", Attempts = 1, NotBefore = 0, CreatedAt = 0 }, default);
    }

    private async Task Dispatch(Func<WebhookDeliveryRow, bool> until)
    {
        var options = Options.Create(new DmlPipeline.Registry.RegistryOptions { WebhookNetworks = "127.0.0.0/8" });
        using var dispatcher = new WebhookDispatcher(database, options, NullLogger<WebhookDispatcher>.Instance);
        await dispatcher.StartAsync(default);
        await Eventually.Holds(async () => (await database.Deliveries(webhook: null, 10, default)).All(until), "every delivery was attempted");
        await dispatcher.StopAsync(default);
    }
}
