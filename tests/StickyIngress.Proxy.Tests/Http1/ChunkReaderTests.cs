using System.Text;
using CsCheck;
using StickyIngress.Proxy.Forwarding.Http1;

namespace StickyIngress.Proxy.Tests.Http1;

/// <summary>Bodies in chunks.</summary>
public sealed class ChunkReaderTests
{
    [Theory]
    [InlineData("0\r\n\r\n", "| complete")]
    [InlineData("5\r\nhello\r\n0\r\n\r\n", "hello| complete")]
    [InlineData("5\r\nhello\r\n00006\r\n world\r\n0\r\n\r\nrest", "hello world| complete rest")]
    [InlineData("a;name=\"v\"\r\n0123456789\r\n0 ; x\r\n\r\n", "0123456789| complete")]
    [InlineData("1\r\nx\r\n0\r\nX-Sum: abc\r\nX-Two: \r\n\r\n", "x| complete X-Sum=abc X-Two=")]
    [InlineData("5\r\nhel", "hel| more")]
    [InlineData("5\r\nhello\r\n0\r\n", "hello| more")]
    [InlineData("\r\n0\r\n\r\n", "| invalid")]
    [InlineData("-1\r\nx\r\n0\r\n\r\n", "| invalid")]
    [InlineData("0x1\r\nx\r\n0\r\n\r\n", "| invalid")]
    [InlineData("1 \r\nx\r\n0\r\n\r\n", "| invalid")]
    [InlineData(" 1\r\nx\r\n0\r\n\r\n", "| invalid")]
    [InlineData("1\nx\r\n0\r\n\r\n", "| invalid")]
    [InlineData("1;a\0\r\nx\r\n0\r\n\r\n", "| invalid")]
    [InlineData("1;a\rb\r\nx\r\n0\r\n\r\n", "| invalid")]
    [InlineData("1\r\nxy\r\n0\r\n\r\n", "x| invalid")]
    [InlineData("1\r\nx\n0\r\n\r\n", "x| invalid")]
    [InlineData("1\r\nx\r0\r\n\r\n", "x| invalid")]
    [InlineData("8000000000000000\r\nx", "| invalid")]
    [InlineData("ffffffffffffffff\r\nx", "| invalid")]
    [InlineData("10000000000000001\r\nx", "| invalid")]
    [InlineData("7fffffffffffffff\r\nx", "x| more")]
    [InlineData("0\r\nbad name: x\r\n\r\n", "| invalid")]
    [InlineData("0\r\nX: a\r\n folded\r\n\r\n", "| invalid X=a")]
    public void Takes_chunks_apart(string body, string expected) => Assert.Equal(expected, Read(body, body.Length));

    [Fact]
    public void A_size_line_does_not_go_on_for_ever() => Assert.Equal("| invalid", Read($"1;{new string('x', 5000)}", 100));

    [Fact]
    public void Trailers_do_not_go_on_for_ever() =>
        Assert.StartsWith("| invalid", Read($"0\r\n{string.Concat(Enumerable.Repeat("X: y\r\n", 100))}\r\n", 10_000));

    [Fact]
    public void How_the_bytes_are_cut_into_pieces_makes_no_difference()
    {
        var chunk = Gen.Char["ab\r\n0;"].Array[1, 40].Select(chars => new string(chars));
        var body = Gen.Select(chunk.Array[0, 8], Gen.Bool, Gen.Bool).Select((chunks, extension, trailer) =>
            string.Concat(chunks.Select(text => $"{text.Length:x}{(extension ? ";e=1" : "")}\r\n{text}\r\n")) + (trailer ? "0\r\nX: y\r\n\r\n" : "0\r\n\r\n"));

        Gen.Select(body, Gen.Int[1, 9]).Sample((text, size) =>
        {
            var whole = Read(text, text.Length);
            return whole == Read(text, size) && whole.Contains("| complete", StringComparison.Ordinal);
        }, iter: 2000);
    }

    [Fact]
    public void No_bytes_make_it_throw_or_run_for_ever()
    {
        string[] pieces = ["0", "5", "f", ";x", "\r\n", "\r", "\n", "hello", "X: y", "\0", " ", "fffffffff"];
        Gen.Int[0, pieces.Length - 1].Array[0, 20].Sample(
            chosen => Assert.NotEmpty(Read(string.Concat(chosen.Select(i => pieces[i])), 3)), iter: 5000);
    }

    /// <summary>The body, how it ended, the trailers, and what was left over.</summary>
    private static string Read(string text, int size)
    {
        var (bytes, reader, response, body) = (Encoding.Latin1.GetBytes(text), new ChunkReader(), new Http1Response(0), new StringBuilder());
        var (at, end, step) = (0, Math.Min(size, bytes.Length), ParseStep.NeedsMore);
        reader.Begin();
        while (true)
        {
            step = reader.Step(bytes.AsSpan(at, end - at), out var consumed, out var count, response);
            body.Append(Encoding.Latin1.GetString(bytes, at + consumed, count));
            at += consumed + count;
            if (step != ParseStep.NeedsMore || (count == 0 && end == bytes.Length)) break;
            if (count == 0) end = Math.Min(end + size, bytes.Length);
        }

        body.Append("| ").Append(step switch { ParseStep.Complete => "complete", ParseStep.Invalid => "invalid", _ => "more" });
        foreach (var (name, value) in response.Trailers) body.Append($" {name}={value}");
        if (step == ParseStep.Complete && at < bytes.Length) body.Append($" {Encoding.Latin1.GetString(bytes, at, bytes.Length - at)}");
        return body.ToString();
    }
}
