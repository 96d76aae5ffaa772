using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using StickyIngress.Core.Upstreams;
using StickyIngress.Testing;

namespace StickyIngress.Core.Tests.Upstreams;

public sealed class PeerNamesTests
{
    public static TheoryData<string, string, string> Recorded =>
        [.. Vectors.Load("sid.json").GetProperty("entries").EnumerateArray()
            .Where(entry => !entry.TryGetProperty("route", out _))
            .Select(entry => (Text(entry, "server"), Text(entry, "peer_name"), Text(entry, "sid")))];

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Names_and_identities_are_those_of_nginx(string server, string name, string sid)
    {
        var formatted = PeerNames.Format(EndPointOf(server, name), server);

        Assert.Equal(name, formatted);
        Assert.Equal(sid, PeerNames.Sid(formatted));
    }

    [Theory]
    [InlineData("::", "[::]:80")]
    [InlineData("1::", "[1::]:80")]
    [InlineData("::1.2.3.4", "[::102:304]:80")]
    [InlineData("fe80::5efe:1.2.3.4", "[fe80::5efe:102:304]:80")]
    [InlineData("64:ff9b::1.2.3.4", "[64:ff9b::102:304]:80")]
    public void Only_mapped_addresses_show_their_IPv4_part(string address, string expected) =>
        Assert.Equal(expected, PeerNames.Format(new IPEndPoint(IPAddress.Parse(address), 80)));

    [Fact]
    public void A_socket_is_named_by_its_path() =>
        Assert.Equal("unix:/run/app.sock", PeerNames.Format(new UnixDomainSocketEndPoint("/run/app.sock")));

    // What the compiler makes of a server: the address that was written, with port 80 where there is none; what a name
    // resolves to is in the record.
    private static EndPoint EndPointOf(string server, string name)
    {
        if (server.StartsWith("unix:", StringComparison.OrdinalIgnoreCase)) return new UnixDomainSocketEndPoint(server[5..]);

        var written = IPEndPoint.TryParse(server, out var address) ? address : IPEndPoint.Parse(name);
        return written.Port == 0 ? new(written.Address, 80) : written;
    }

    private static string Text(JsonElement entry, string property) => entry.GetProperty(property).GetString()!;
}
