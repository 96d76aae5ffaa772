using StickyIngress.Control.Compilation;

namespace StickyIngress.Control.Tests;

public sealed class FreeNamesTests
{
    [Theory]
    [InlineData("a@s b@s", "a b")]
    [InlineData("a@s a@s a@s a@s a@t", "a s/a s/a/2 s/a/3 t/a")]
    [InlineData("a@s s/a@s a@s", "a s/a s/a/2")]
    [InlineData("s/a/2@s a@s a@s a@s", "s/a/2 a s/a s/a/3")]
    public void Nobody_gets_a_name_that_is_taken(string wanted, string given)
    {
        var names = new FreeNames();

        var taken = wanted.Split(' ').Select(one => names.Take(one.Split('@')[0], one.Split('@')[1])).ToArray();

        Assert.Equal(given.Split(' '), taken);
    }
}
