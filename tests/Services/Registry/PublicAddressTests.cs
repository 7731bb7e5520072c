using System.Net;
using DmlPipeline.Registry.Webhooks;

namespace DmlPipeline.Tests.Services.Registry;

public class PublicAddressTests
{
    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("::ffff:8.8.8.8", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.16.0.1", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::1", false)]
    [InlineData("::", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("fd00:ec2::254", false)]
    [InlineData("::ffff:10.0.0.1", false)]
    [InlineData("::ffff:169.254.169.254", false)]
    [InlineData("64:ff9b::a00:1", false)]
    [InlineData("2002:a00:1::", false)]
    [InlineData("2001:0:a00:1::", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("ff02::1", false)]
    public void Only_the_public_internet_is_reached(string address, bool allowed) => PublicAddress.IsAllowed(IPAddress.Parse(address), []).ShouldBe(allowed);

    [Fact]
    public void A_setting_may_allow_networks()
    {
        var networks = PublicAddress.Networks(" 10.0.0.0/8, 127.0.0.1/32 ");

        PublicAddress.IsAllowed(IPAddress.Parse("10.9.8.7"), networks).ShouldBeTrue();
        PublicAddress.IsAllowed(IPAddress.Parse("::ffff:10.9.8.7"), networks).ShouldBeTrue();
        PublicAddress.IsAllowed(IPAddress.Parse("127.0.0.2"), networks).ShouldBeFalse();
        Should.Throw<FormatException>(() => PublicAddress.Networks("10.0.0.0")).Message.ShouldContain("is no network");
    }
}
