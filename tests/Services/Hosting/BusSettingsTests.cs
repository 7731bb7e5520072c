using DmlPipeline.Hosting;
using DmlPipeline.Hosting.Messaging;

namespace DmlPipeline.Tests.Services.Hosting;

public sealed class BusSettingsTests
{
    [Theory]
    [InlineData("memory", null, 5672, "/", false)]
    [InlineData("rabbitmq://broker", "broker", 5672, "/", false)]
    [InlineData("rabbitmq://broker/", "broker", 5672, "/", false)]
    [InlineData("amqp://broker:5673/dml", "broker", 5673, "dml", false)]
    [InlineData("rabbitmqs://broker/a%2Fb", "broker", 5671, "a/b", true)]
    [InlineData("rabbitmq://[::1]:1/x", "::1", 1, "x", false)]
    public void An_address_is_read(string address, string? host, int port, string virtualHost, bool tls)
    {
        var bus = BusSettings.Parse(address);

        (bus.Host, bus.Port, bus.VirtualHost, bus.Tls).ShouldBe((host, (ushort)port, virtualHost, tls));
    }

    [Theory]
    [InlineData("rabbit")]
    [InlineData("http://broker")]
    [InlineData("rabbitmq://")]
    [InlineData("rabbitmq://broker/a/b")]
    [InlineData("rabbitmq://broker?heartbeat=1")]
    [InlineData("")]
    public void What_is_no_address_is_refused_with_the_forms_that_are(string address)
    {
        var error = Should.Throw<SettingException>(() => BusSettings.Parse(address));

        error.Setting.ShouldBe("bus");
        error.Problem.ShouldContain("rabbitmq://HOST");
    }

    [Fact]
    public void A_password_in_an_address_is_refused_and_not_repeated()
    {
        foreach (var address in new[] { "rabbitmq://dml:secret@broker", "no-scheme:secret@broker" })
            Should.Throw<SettingException>(() => BusSettings.Parse(address)).Message.ShouldNotContain("secret");
    }

    [Fact]
    public void Settings_are_shown_without_the_password() =>
        (BusSettings.Parse("rabbitmq://broker/dml") with { User = "u", Password = "secret" }).ToString().ShouldBe("rabbitmq://broker:5672/dml");

    [Fact]
    public void An_error_queue_is_named_after_its_queue() => PipelineQueues.All.ShouldAllBe(queue => queue.ErrorQueue == $"{queue.Name}_error");
}
