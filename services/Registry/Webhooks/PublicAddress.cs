using System.Net;
using System.Net.Sockets;

namespace DmlPipeline.Registry.Webhooks;

/// <summary>Which addresses a webhook may reach: those of the public internet, and networks that a setting allows. Whoever names an address must not be
/// able to make the registry speak to the machines around it.</summary>
public static class PublicAddress
{
    // What the registries of special-purpose addresses (RFC 6890 and later) keep from the public internet, the clouds' metadata service among it.
    private static readonly IPNetwork[] SpecialIPv4 =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
            "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        }.Select(IPNetwork.Parse),
    ];

    // Of IPv6 only the global unicast space is public; within it, tunnels to IPv4, documentation and the like are not.
    private static readonly IPNetwork GlobalIPv6 = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork[] SpecialIPv6 = [.. new[] { "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20" }.Select(IPNetwork.Parse)];

    /// <summary>Whether the address may be connected to.</summary>
    public static bool IsAllowed(IPAddress address, IReadOnlyList<IPNetwork> allowed)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return allowed.Any(network => network.Contains(plain)) || IsPublic(plain);
    }

    /// <summary>Networks by commas, such as <c>10.0.0.0/8, 127.0.0.1/32</c>.</summary>
    /// <exception cref="FormatException">One is no network.</exception>
    public static IReadOnlyList<IPNetwork> Networks(string? text) =>
        [.. (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(part =>
            IPNetwork.TryParse(part, out var network) ? network : throw new FormatException($"'{part}' is no network: write for example 10.0.0.0/8."))];

    private static bool IsPublic(IPAddress address) => address.AddressFamily switch
    {
        AddressFamily.InterNetwork => !SpecialIPv4.Any(network => network.Contains(address)),
        AddressFamily.InterNetworkV6 => GlobalIPv6.Contains(address) && !SpecialIPv6.Any(network => network.Contains(address)),
        _ => false,
    };
}
