using System.Text.Json;
using CsCheck;
using StickyIngress.Api.Schema;
using StickyIngress.Testing;

namespace StickyIngress.Api.Tests;

public sealed class NginxTimeTests
{
    public static TheoryData<string, TimeUnit, string> Recorded() => new(
        Rows("time_seconds", TimeUnit.Seconds).Concat(Rows("time_milliseconds", TimeUnit.Milliseconds)));

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Reads_what_nginx_reads(string literal, TimeUnit unit, string expected)
    {
        var accepted = NginxTime.TryParse(literal, unit, out var time);

        var answer = !accepted ? "error" : expected == "accepted" ? "accepted" : $"{time.TotalMilliseconds}";
        Assert.Equal(expected, answer);
    }

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(500, "500ms")]
    [InlineData(90_000, "1m30s")]
    [InlineData(3_600_000, "1h")]
    [InlineData(93_784_005, "1d2h3m4s5ms")]
    public void Writes_the_shortest_form(long milliseconds, string expected) =>
        Assert.Equal(expected, NginxTime.Format(TimeSpan.FromMilliseconds(milliseconds)));

    [Theory]
    [InlineData("1h 30m", true)]
    [InlineData("1m30", true)]
    [InlineData("1s5ms", true)]
    [InlineData(" 1", false)]
    [InlineData("1 ", false)]
    [InlineData("", false)]
    [InlineData("1hm", false)]
    public void In_a_resource_every_unit_has_its_digits(string literal, bool accepted) =>
        Assert.Equal(accepted, NginxTime.TryParseStrict(literal, TimeUnit.Milliseconds, out _));

    [Fact]
    public void What_was_written_reads_back_equal() => Gen.Long[0, 922_337_203_685_000].Sample(milliseconds =>
    {
        var time = TimeSpan.FromMilliseconds(milliseconds);
        Assert.True(NginxTime.TryParseStrict(NginxTime.Format(time), TimeUnit.Milliseconds, out var read));
        Assert.Equal(time, read);
    });

    [Theory]
    [InlineData(TimeUnit.Seconds)]
    [InlineData(TimeUnit.Milliseconds)]
    public void The_pattern_of_the_CRD_allows_what_the_reader_allows(TimeUnit unit) =>
        Gen.Int[0, 12].SelectMany(n => Gen.OneOfConst("1", "0", "23", "y", "M", "w", "d", "h", "m", "s", "ms", " ").Array[n])
            .Select(string.Concat)
            .Where(text => text.Length > 0)
            .Sample(text => Assert.Equal(
                System.Text.RegularExpressions.Regex.IsMatch(text, NginxTime.Pattern(unit)),
                NginxTime.TryParseStrict(text, unit, out _)));

    private static IEnumerable<TheoryDataRow<string, TimeUnit, string>> Rows(string list, TimeUnit unit) =>
        from row in Vectors.Load("time_size.json").GetProperty(list).EnumerateArray()
        let literal = row.GetProperty("literal").GetString()!
        where !(literal == "max" && unit == TimeUnit.Seconds) // the cookie's own word, read by CookieExpires
        select new TheoryDataRow<string, TimeUnit, string>(literal, unit, Expected(row));

    private static string Expected(JsonElement row) =>
        row.TryGetProperty("seconds", out var seconds) ? $"{seconds.GetInt64() * 1000}"
        : row.TryGetProperty("milliseconds", out var milliseconds) ? $"{milliseconds.GetInt64()}"
        : row.TryGetProperty("accepted", out _) ? "accepted" : "error";
}

public sealed class NginxSizeTests
{
    public static TheoryData<string, string> Recorded() => new(
        from row in Vectors.Load("time_size.json").GetProperty("size").EnumerateArray()
        let literal = row.GetProperty("literal").GetString()!
        where literal is not ("1g" or "1G") // refused by nginx for sizes, allowed by us
        select new TheoryDataRow<string, string>(
            literal,
            row.TryGetProperty("bytes", out var bytes) ? $"{bytes.GetInt64()}" : row.TryGetProperty("accepted", out _) ? "accepted" : "error"));

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Reads_what_nginx_reads(string literal, string expected)
    {
        var accepted = NginxSize.TryParse(literal, out var bytes);

        Assert.Equal(expected, !accepted ? "error" : expected == "accepted" ? "accepted" : $"{bytes}");
    }

    [Theory]
    [InlineData("1g", 1L << 30)]
    [InlineData("8589934591G", 8589934591L << 30)]
    [InlineData("8589934592g", -1)]
    public void Reads_gigabytes_too(string literal, long expected) =>
        Assert.Equal(expected, NginxSize.TryParse(literal, out var bytes) ? bytes : -1);

    [Fact]
    public void What_was_written_reads_back_equal() => Gen.Long[0, long.MaxValue].Sample(bytes =>
    {
        Assert.True(NginxSize.TryParse(NginxSize.Format(bytes), out var read));
        Assert.Equal(bytes, read);
    });
}
