using StickyIngress.Api;
using StickyIngress.Control.Sources;

namespace StickyIngress.Control.Tests;

public sealed class ResourceMapTests
{
    private const int Many = 10_000;

    [Fact]
    public void Holds_what_a_dictionary_would_after_thousands_of_changes()
    {
        var random = new Random(1);
        var expected = new Dictionary<ResourceRef, int>();
        var map = ResourceMap<int>.Empty;

        for (var round = 0; round < 20; round++)
        {
            var builder = map.ToBuilder();
            for (var change = 0; change < 2_000; change++)
            {
                var named = Named(random.Next(Many));
                if (random.Next(3) > 0) builder[named] = expected[named] = change;
                else Assert.Equal(expected.Remove(named), builder.Remove(named));
            }

            map = builder.ToImmutable();
            Assert.Equal(expected.Count, map.Count);
            Assert.Equal(expected, map.ToDictionary());
            Assert.All(expected, entry => Assert.Equal(entry.Value, map[entry.Key]));
        }
    }

    [Fact]
    public void Stays_as_it_is_whatever_becomes_of_the_next()
    {
        var map = Full();

        var builder = map.ToBuilder();
        for (var i = 0; i < 2 * Many; i++) builder[Named(i)] = -1;
        builder.Remove(Named(0));
        builder.ToImmutable();

        Assert.Equal(Many, map.Count);
        Assert.All(Enumerable.Range(0, Many), i => Assert.Equal(i, map[Named(i)]));
    }

    [Fact]
    public void A_builder_that_goes_on_leaves_the_map_that_it_gave_alone()
    {
        var builder = Full().ToBuilder();
        builder[Named(1)] = -1;
        var given = builder.ToImmutable();

        builder[Named(1)] = -2;
        builder.Remove(Named(2));

        Assert.Equal(-1, given[Named(1)]);
        Assert.Equal(2, given[Named(2)]);
        Assert.Equal(-2, builder.ToImmutable()[Named(1)]);
    }

    [Fact]
    public void A_builder_that_changed_nothing_gives_the_same_map()
    {
        var map = Full();

        var builder = map.ToBuilder();
        builder.Remove(Named(Many));

        Assert.Same(map, builder.ToImmutable());
    }

    private static ResourceRef Named(int number) => new("Service", "default", $"s{number}");

    private static ResourceMap<int> Full()
    {
        var builder = ResourceMap<int>.Empty.ToBuilder();
        for (var i = 0; i < Many; i++) builder[Named(i)] = i;
        return builder.ToImmutable();
    }
}
