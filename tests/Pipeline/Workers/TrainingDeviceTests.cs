using System.ComponentModel.DataAnnotations;
using DmlPipeline.Training;

namespace DmlPipeline.Tests.Pipeline.Workers;

public sealed class TrainingDeviceTests
{
    private static readonly IReadOnlyList<Gpu> Two = TrainingDevices.Read(
        """
        0, GPU-aaaa-1, NVIDIA H200, 143771
        1, GPU-bbbb-2, NVIDIA A100-SXM4-40GB, 40960
        """);

    [Fact]
    public void Without_a_gpu_it_is_the_cpu_that_any_number_of_workers_share()
    {
        var device = TrainingDevices.Choose(new TrainingOptions { Labels = "site=berlin,fast-disk=yes" }, 0, null, "host", []).ShouldHaveSingleItem();

        (device.Name, device.Claim).ShouldBe(("cpu", null));
        device.Labels.ShouldBe(new Dictionary<string, string> { ["site"] = "berlin", ["fast-disk"] = "yes" }, ignoreOrder: true);
    }

    [Fact]
    public void Gpus_are_claimed_by_their_own_names_and_say_what_they_are()
    {
        var devices = TrainingDevices.Choose(new TrainingOptions(), 2, null, "host", Two);

        devices.Select(device => (device.Name, device.Claim)).ShouldBe([("cuda:0", "GPU-aaaa-1"), ("cuda:1", "GPU-bbbb-2")]);
        devices.Select(device => device.Labels["gpu-memory"]).ShouldBe(["150.8GB", "42.9GB"]);
        devices[0].Labels["gpu"].ShouldBe("NVIDIA H200");
    }

    [Theory]
    [InlineData("1", "GPU-bbbb-2")]
    [InlineData("GPU-bbbb", "GPU-bbbb-2")]
    [InlineData("1,0", "GPU-bbbb-2")]
    public void The_first_gpu_that_torch_sees_need_not_be_the_machines_first(string visible, string card) =>
        TrainingDevices.Choose(new TrainingOptions { Device = "cuda:0" }, visible.Split(',').Length, visible, "host", Two).ShouldHaveSingleItem().Claim.ShouldBe(card);

    [Fact]
    public void Where_the_driver_cannot_be_asked_a_gpu_is_claimed_by_host_and_number() =>
        TrainingDevices.Choose(new TrainingOptions { Device = "cuda:1" }, 2, "4,5", "host", []).ShouldHaveSingleItem().Claim.ShouldBe("host/5");

    [Fact]
    public void A_gpu_that_is_not_there_is_named_with_those_that_are() =>
        Should.Throw<InvalidOperationException>(() => TrainingDevices.Choose(new TrainingOptions { Device = "cuda:2" }, 2, null, "host", Two)).Message.ShouldContain("2 here, from cuda:0 to cuda:1");

    [Theory]
    [InlineData("Device", "gpu")]
    [InlineData("Device", "cuda")]
    [InlineData("Labels", "berlin")]
    [InlineData("Labels", "Site=berlin")]
    public void What_is_no_device_or_label_is_refused_at_the_start(string option, string value)
    {
        var options = new TrainingOptions();
        typeof(TrainingOptions).GetProperty(option)!.SetValue(options, value);
        var problems = new List<ValidationResult>();

        Validator.TryValidateObject(options, new ValidationContext(options), problems, validateAllProperties: true).ShouldBeFalse();
        problems.ShouldHaveSingleItem().ErrorMessage.ShouldNotBeNull().ShouldStartWith($"Training:{option}");
    }
}
