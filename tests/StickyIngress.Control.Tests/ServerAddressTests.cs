using StickyIngress.Control.Compilation;

namespace StickyIngress.Control.Tests;

public sealed class ServerAddressTests
{
    [Theory]
    [InlineData("127.0.0.1:0", "invalid port")]
    [InlineData("127.0.0.1:65536", "invalid port")]
    [InlineData("127.0.0.1:http", "invalid port")]
    [InlineData("127.0.0.1:", "invalid port")]
    [InlineData(":80", "no host")]
    [InlineData("", "no host")]
    [InlineData("unix:", "no path in the unix domain socket")]
    [InlineData("unix:a.sock", "relative path in the unix domain socket")] // to nginx it is relative to its folder; there is none here
    [InlineData("http://127.0.0.1", "invalid host")]
    [InlineData("127.0.0.1/path", "invalid host")]
    [InlineData("[::1", "invalid host")]
    [InlineData("[::1]x", "invalid host")]
    [InlineData("[::g]:80", "invalid IPv6 address")]
    [InlineData("[fe80::1%eth0]:80", "invalid IPv6 address")]
    public void Is_refused_in_the_words_of_nginx(string text, string error)
    {
        Assert.False(ServerAddress.TryParse(text, out _, out var actual));
        Assert.Equal(error, actual);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("-bad")]
    [InlineData("user@host:80")]
    [InlineData("a\0b")]
    [InlineData("a..b")]
    [InlineData(".a")]
    public void A_host_that_no_name_server_can_know_is_refused(string text)
    {
        Assert.False(ServerAddress.TryParse(text, out _, out var error));
        Assert.Equal("invalid host", error);
    }

    [Theory]
    [InlineData("bücher.example", null, "bücher.example", 80)]
    [InlineData("_sip.a-b.example", null, "_sip.a-b.example", 80)]
    [InlineData("127.0.0.1", "127.0.0.1", null, 80)]
    [InlineData("127.0.0.1:08080", "127.0.0.1", null, 8080)]
    [InlineData("[::1]", "::1", null, 80)]
    [InlineData("[::1]:8080", "::1", null, 8080)]
    [InlineData("300.1.1.1:80", null, "300.1.1.1", 80)] // no address, so a name
    [InlineData("0x7f.1", null, "0x7f.1", 80)] // other parsers take this for 127.0.0.1
    [InlineData("Shop.Example.", null, "shop.example", 80)]
    public void Reads_addresses_and_names(string text, string? ip, string? host, int port)
    {
        Assert.True(ServerAddress.TryParse(text, out var address, out _));

        Assert.Equal((ip, host, port), (address.Ip?.ToString(), address.Host, address.Port));
    }

    [Theory]
    [InlineData("unix:/tmp/a:/x", "/tmp/a:/x")]
    [InlineData("UNIX:/tmp/A", "/tmp/A")]
    public void Keeps_the_path_of_a_unix_socket_to_the_letter(string text, string path)
    {
        Assert.True(ServerAddress.TryParse(text, out var address, out _));

        Assert.Equal(path, address.UnixPath);
    }
}
