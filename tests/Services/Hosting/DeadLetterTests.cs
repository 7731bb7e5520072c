using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Hosting.Messaging;
using DmlPipeline.Storage;
using RabbitMQ.Client;

namespace DmlPipeline.Tests.Services.Hosting;

[Collection(RabbitMqCollection.Name)]
public sealed class DeadLetterTests(RabbitMqServer server) : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private BusSettings bus = BusSettings.Memory;

    public async Task InitializeAsync() => bus = await server.NewBus();

    public Task DisposeAsync()
    {
        folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_dead_letter_says_what_it_was_and_why_it_failed_however_often_it_is_looked_at()
    {
        await Kill("a");

        for (var i = 0; i < 30; i++)
        {
            await using var letters = await DeadLetters.Open(bus, default);
            var letter = (await letters.List(_ => true, most: 10, default)).ShouldHaveSingleItem();

            (letter.Queue, letter.Type, letter.Reason).ShouldBe(("prepare-dataset", "PrepareDataset", "disk of a"));
            letter.Error.ShouldNotBeNull().ShouldContain(nameof(DropConsumer));
            letter.Worker.ShouldNotBeNull().ShouldContain(Environment.MachineName);
            letter.FailedAt.ShouldNotBeNull().ShouldBe(DateTimeOffset.UtcNow, tolerance: TimeSpan.FromHours(1));
            letter.Body.ShouldContain("birds");
            Guid.TryParse(letter.Id, out _).ShouldBeTrue();
        }
    }

    [Fact]
    public async Task A_replayed_dead_letter_is_consumed_as_if_for_the_first_time()
    {
        await Kill("a", "b");

        await using (var letters = await DeadLetters.Open(bus, default))
            (await letters.Replay(letter => letter.Body.Contains("\"a\"", StringComparison.Ordinal), default)).ShouldHaveSingleItem();

        await using var cured = await Start(new Deliveries());
        await Eventually.Holds(async () => await DropConsumer.Effects(cured.Database, "a") == 1, "a had its effect");
        (await DropConsumer.Effects(cured.Database, "b")).ShouldBe(0);
        (await Reasons()).ShouldBe(["disk of b"]);
    }

    [Fact]
    public async Task A_replayed_dead_letter_that_fails_again_is_a_dead_letter_again_with_the_new_reason()
    {
        await Kill("a");

        await using (var letters = await DeadLetters.Open(bus, default)) await letters.Replay(_ => true, default);
        await using var host = await Start(new Deliveries { Fail = _ => new IOException("another disk") });

        await Eventually.Holds(async () => (await Reasons()) is ["another disk"], "it failed again");
    }

    [Fact]
    public async Task A_discarded_dead_letter_is_gone_and_the_others_stay()
    {
        await Kill("a", "b", "c");

        await using (var letters = await DeadLetters.Open(bus, default))
            (await letters.Discard(letter => letter.Reason == "disk of b", default)).ShouldHaveSingleItem();

        (await Reasons()).ShouldBe(["disk of a", "disk of c"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_message_that_is_no_message_is_kept_as_it_is()
    {
        await using var host = await Start(new Deliveries());
        await using (var connection = await RabbitMqConnection.Open(bus, default))
        await using (var channel = await connection.CreateChannelAsync())
            await channel.BasicPublishAsync("", "prepare-dataset", "no json"u8.ToArray());

        await Eventually.Holds(async () => (await Reasons()).Count == 1, "it is a dead letter");

        await using var letters = await DeadLetters.Open(bus, default);
        var letter = (await letters.List(_ => true, most: 10, default)).Single();
        (letter.Type, letter.Body).ShouldBe(("?", "no json"));
    }

    [Fact]
    public async Task A_bus_in_memory_keeps_none()
    {
        var error = await Should.ThrowAsync<SettingException>(() => DeadLetters.Open(BusSettings.Memory, default));

        error.Setting.ShouldBe("bus");
    }

    private async Task Kill(params string[] drops)
    {
        await using var host = await Start(new Deliveries { Fail = drop => new IOException($"disk of {drop}") });
        foreach (var drop in drops) await host.Database.Write(transaction => transaction.Publish(new PrepareDataset(drop, "birds")), default);
        await Eventually.Holds(async () => (await Reasons()).Count == drops.Length, "all are dead letters");
    }

    private async Task<IReadOnlyList<string>> Reasons()
    {
        await using var letters = await DeadLetters.Open(bus, default);
        return [.. (await letters.List(_ => true, most: 100, default)).Select(letter => letter.Reason)];
    }

    private Task<TestHost> Start(Deliveries deliveries) => DropConsumer.Serve(folder, bus, deliveries);
}
