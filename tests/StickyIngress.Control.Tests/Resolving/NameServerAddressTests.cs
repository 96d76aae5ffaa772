using StickyIngress.Control.Resolving;

namespace StickyIngress.Control.Tests.Resolving;

public sealed class NameServerAddressTests
{
    [Theory]
    [InlineData("10.0.0.1", "10.0.0.1:53")]
    [InlineData("10.0.0.1:5353", "10.0.0.1:5353")]
    [InlineData("[::1]", "[::1]:53")]
    [InlineData("[::1]:5353", "[::1]:5353")]
    [InlineData("dns.test", null)]
    [InlineData("10.0.0.1:0", null)]
    [InlineData("53", null)]
    [InlineData("unix:/tmp/x", null)]
    [InlineData("", null)]
    public void Is_an_address_with_port_53_by_default(string text, string? expected)
    {
        Assert.Equal(expected is not null, NameServerAddress.TryParse(text, out var server));
        Assert.Equal(expected, server?.ToString());
    }

    [Theory]
    [InlineData("# nameserver 10.0.0.9\nsearch a.test\nnameserver 10.0.0.1\nnameserver\t::1\noptions ndots:5\nnameserver x", "10.0.0.1:53 [::1]:53")]
    [InlineData("search a.test", "127.0.0.1:53")]
    public void Those_of_the_system_are_read_from_resolv_conf_and_without_any_it_is_this_machine(string content, string expected) =>
        Assert.Equal(expected, string.Join(' ', NameServerAddress.OfResolvConf(content.Split('\n'))));
}
