using System.Text;
using CsCheck;

namespace StickyIngress.Api.Tests;

public sealed class ReadingPropertyTests
{
    private static readonly Gen<string> Word = Gen.OneOf(
        Gen.OneOfConst("yes", "on", "null", "~", "10", "1e3", "0x1", "a: b", "a #b", "- x", "'", "\"", "\\", "*", "&a", "$host", "x:", " x", "x ", "é", "😀", "\n", "a\tb"),
        Gen.String[Gen.Char[' ', '~'], 1, 20],
        Gen.String[Gen.Char['\u00a0', '\ud7ff'], 1, 8]);

    [Fact]
    public void No_text_makes_the_reader_throw()
    {
        var pieces = Gen.OneOfConst("---\n", "kind: List\n", "items:\n", "- ", "a: ", "[", "]", "{", "}", "&x ", "*x", "<<: ", "? ", ": ", "|\n", ">-\n", "!!int ", "\"", "'", "#", "\n", "  ", "%", "@", "`", "\t", "\r", "\0", "\uFEFF", "x");
        Gen.OneOf(pieces.Array[0, 30].Select(string.Concat), Gen.String[0, 60], Gen.Byte.Array[0, 60].Select(Encoding.UTF8.GetString))
            .Sample(text => Assert.NotNull(ResourceYaml.Read(text, "f")), iter: 3000);
    }

    [Fact]
    public void No_change_of_a_document_makes_the_reader_throw() =>
        Gen.Select(Gen.Int[0, Examples.Everything.Length - 1], Gen.Int[0, 30], Gen.OneOf(Word, Gen.String[0, 5])).Array[1, 4].Sample(edits =>
        {
            var text = Examples.Everything;
            foreach (var (at, length, with) in edits)
            {
                var from = Math.Min(at, text.Length);
                text = string.Concat(text.AsSpan(0, from), with, text.AsSpan(Math.Min(from + length, text.Length)));
            }

            var read = ResourceYaml.Read(text, "f");
            Assert.True(read.Resources.Count > 0 || read.Errors.Count > 0 || text.Length < 100);
        }, iter: 1000);

    [Fact]
    public void No_bytes_make_the_JSON_reader_throw() => Gen.Byte.Array[0, 40]
        .Sample(bytes => Assert.NotEmpty(ResourceJson.ReadStickyUpstream(bytes).Errors), iter: 2000);

    [Fact]
    public void What_is_written_reads_back_equal() => Specs().Sample(spec =>
    {
        var labels = new Dictionary<string, string> { ["on"] = spec.Proxy.Host ?? "" };
        var resource = new StickyUpstream { Metadata = new ObjectMeta { Name = "shop", Labels = labels }, Spec = spec, File = "f" };

        var read = ResourceYaml.Read(ResourceYaml.Write(resource), "f");

        Assert.Empty(read.Errors);
        Assert.Equal(resource, Assert.Single(read.Resources));
    }, iter: 1000);

    private static Gen<StickyUpstreamSpec> Specs() =>
        from host in Word
        from value in Word
        from seconds in Gen.Int[0, 100_000]
        from milliseconds in Gen.Int[1, int.MaxValue]
        from size in Gen.Long[0, long.MaxValue]
        from weight in Gen.Int[1, 65535]
        from flag in Gen.Bool
        from method in Gen.OneOfConst(BalancingMethod.RoundRobin, BalancingMethod.LeastConn, BalancingMethod.LeastTime)
        from on in Gen.OneOfConst(NextUpstreamCondition.Error, NextUpstreamCondition.HTTP500, NextUpstreamCondition.Off)
        select new StickyUpstreamSpec
        {
            Servers =
            [
                new() { Name = "a", Address = value, Weight = weight, FailTimeout = TimeSpan.FromSeconds(seconds), Down = flag },
                new() { Name = "b", Service = new() { Name = host, Port = flag ? 80 : "http" }, SlowStart = TimeSpan.FromMilliseconds(milliseconds) },
            ],
            Balancing = new() { Method = method, LeastTime = method == BalancingMethod.LeastTime ? new() { Inflight = flag } : null },
            Sticky = new()
            {
                Cookie = new() { Name = "c", HttpOnly = flag, Domain = value, Expires = flag ? CookieExpires.Max : new(TimeSpan.FromSeconds(seconds)) },
            },
            Proxy = new() { Host = host, MaxBodySize = size, SetHeaders = flag ? [] : [new() { Name = "X", Value = value }], NextUpstream = new() { On = [on] } },
            HealthCheck = flag ? new() { Match = new() { Status = ["! 500"], Headers = [host] } } : null,
        };
}
