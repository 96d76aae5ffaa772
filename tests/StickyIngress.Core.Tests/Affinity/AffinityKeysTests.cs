using System.Text;
using StickyIngress.Core.Affinity;

namespace StickyIngress.Core.Tests.Affinity;

public sealed class AffinityKeysTests
{
    [Theory]
    [InlineData("", "there is no key")]
    [InlineData("# only a comment\n\n", "there is no key")]
    [InlineData("short", "line 1 has 5 bytes; it must have at least 16")]
    [InlineData("0123456789abcdef\n\nshort", "line 3 has 5 bytes")]
    [InlineData("0123456789abcdef\n 0123456789abcdef\r\n", "line 2 stands there twice")]
    public void A_mistake_is_told_without_the_key(string text, string message)
    {
        Assert.False(AffinityKeys.TryParse(Encoding.UTF8.GetBytes(text), out _, out var error));
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789abcdef", error, StringComparison.Ordinal);
    }

    [Fact]
    public void More_keys_than_anyone_needs_are_refused()
    {
        var lines = string.Join('\n', Enumerable.Range(0, 17).Select(i => $"0123456789abcdef{i}"));

        Assert.False(AffinityKeys.TryParse(Encoding.UTF8.GetBytes(lines), out _, out var error));
        Assert.Contains("line 17", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Spaces_line_ends_and_comments_are_no_part_of_a_key()
    {
        Assert.Equal(Parse("0123456789abcdef\nfedcba9876543210").Fingerprint, Parse("# new\r\n 0123456789abcdef \r\n\r\nfedcba9876543210\r\n").Fingerprint);
        Assert.NotEqual(Parse("0123456789abcdef\nfedcba9876543210").Fingerprint, Parse("fedcba9876543210\n0123456789abcdef").Fingerprint);
    }

    [Fact]
    public void A_random_key_is_another_each_time()
    {
        var random = AffinityKeys.CreateRandom();

        Assert.True(random.IsRandom);
        Assert.False(Parse("0123456789abcdef").IsRandom);
        Assert.NotEqual(random.Fingerprint, AffinityKeys.CreateRandom().Fingerprint);
    }

    private static AffinityKeys Parse(string text)
    {
        Assert.True(AffinityKeys.TryParse(Encoding.UTF8.GetBytes(text), out var keys, out var error), error);
        return keys;
    }
}
