using DmlPipeline.Contracts;
using DmlPipeline.Registry.Webhooks;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using DmlPipeline.Tests.Services.Storage;

namespace DmlPipeline.Tests.Services.Registry;

public abstract class WebhookQueueTests<T> : IAsyncLifetime where T : TestDatabase, new()
{
    private readonly T test = new();
    private Database database = null!;

    public async Task InitializeAsync() => database = await test.Open();

    public async Task DisposeAsync()
    {
        database.Dispose();
        await test.DisposeAsync();
    }

    [Fact]
    public async Task An_event_is_queued_with_what_it_tells_of_for_every_webhook_that_wants_it()
    {
        var all = await Add();
        var promotions = await Add(events: ["ModelPromoted"]);
        var cats = await Add(subject: "cats");
        var removed = await Add();
        await new WebhookBook(database).Remove(removed.Id, default);

        await database.Write(async transaction =>
        {
            await transaction.Publish(Promoted());
            await transaction.Publish(new PromotionRefused("birds", 3, "champion", 2, "run", "worse"));
            await transaction.Publish(new TrainModel("run", "birds", 1, "{}", "cli", "asked"));
        }, default);

        (await Queue()).ShouldBe([$"{all.Id} ModelPromoted", $"{promotions.Id} ModelPromoted", $"{all.Id} PromotionRefused"], ignoreOrder: true);
        (await database.Deliveries(cats.Id, 10, default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_rolled_back_is_told_to_nobody()
    {
        await Add();

        await Should.ThrowAsync<InvalidOperationException>(() => database.Write(async transaction =>
        {
            await transaction.Publish(Promoted());
            throw new InvalidOperationException();
        }, default));

        (await Queue()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_message_that_is_sent_again_is_told_once_and_an_event_that_happens_again_twice()
    {
        await Add();
        var ready = new DatasetReady("birds", 1, new ArtifactRef("key", "hash", 1), "drop");

        for (var i = 0; i < 2; i++)
            await database.Write(async transaction =>
            {
                await transaction.Publish(ready);
                await transaction.Publish(Promoted());
            }, default);

        (await Queue()).Select(entry => entry.Split(' ')[1]).ShouldBe(["DatasetReady", "ModelPromoted", "ModelPromoted"], ignoreOrder: true);
    }

    [Fact]
    public async Task Two_processes_do_not_make_the_same_delivery()
    {
        await Add();
        for (var i = 0; i < 6; i++) await database.Write(transaction => transaction.Publish(Promoted()), default);
        using var other = await test.Open();

        var claims = await Task.WhenAll(new[] { database, other, database, other }.Select(process => process.ClaimDeliveries(2, TimeSpan.FromMinutes(1), default)));

        claims.SelectMany(claim => claim.Select(delivery => delivery.Id)).ShouldBeUnique();
        (await database.ClaimDeliveries(10, TimeSpan.FromMinutes(1), default)).Count.ShouldBe(6 - claims.Sum(claim => claim.Count));
    }

    [Fact]
    public async Task What_was_given_up_is_sent_again_when_somebody_says_so()
    {
        await Add();
        await database.Write(transaction => transaction.Publish(Promoted()), default);
        await database.Write(transaction => transaction.Execute("update webhook_deliveries set state = 'failed', attempts = 10"), default);

        (await Troubles.All(database, new TroubleLimits(), Database.Now, default)).ShouldContain(trouble => trouble.Kind == Troubles.Webhook);
        (await new WebhookBook(database).Replay(id: null, default)).ShouldBe(1);
        (await database.ClaimDeliveries(10, TimeSpan.FromMinutes(1), default)).Single().Attempts.ShouldBe(1);
    }

    [Fact]
    public async Task What_was_told_long_ago_is_forgotten_and_what_was_not_told_never()
    {
        var (kept, removed) = (await Add(), await Add());
        foreach (var state in new[] { "delivered", "failed", "queued" })
        {
            await database.Write(transaction => transaction.Publish(Promoted()), default);
            await database.Write(transaction => transaction.Execute("update webhook_deliveries set state = @state where state = 'queued'", new { state }), default);
        }
        await new WebhookBook(database).Remove(removed.Id, default);

        await database.ForgetBefore(DateTimeOffset.UtcNow.AddMinutes(-1), default);
        (await database.Deliveries(webhook: null, 100, default)).Count.ShouldBe(6);

        await database.ForgetBefore(DateTimeOffset.UtcNow.AddMinutes(1), default);
        (await database.Deliveries(webhook: null, 100, default)).Select(delivery => (delivery.WebhookId, delivery.State)).ShouldBe([(kept.Id, "failed"), (kept.Id, "queued")], ignoreOrder: true);
    }

    private async Task<IEnumerable<string>> Queue() => (await database.Deliveries(webhook: null, 100, default)).Select(delivery => $"{delivery.WebhookId} {delivery.Event}");

    private Task<WebhookRow> Add(string[]? events = null, string? subject = null) =>
        new WebhookBook(database).Add("https://example.org/hook", events ?? [], subject, "env:SECRET", "ann", default);

    private static ModelPromoted Promoted() => new("birds", 3, "champion", 2, "run", "better");
}

public sealed class SqliteWebhookQueueTests : WebhookQueueTests<SqliteTestDatabase>;

public sealed class PostgresWebhookQueueTests : WebhookQueueTests<PostgresTestDatabase>;
