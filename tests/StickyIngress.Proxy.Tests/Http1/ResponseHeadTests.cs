using System.Text;
using CsCheck;
using StickyIngress.Proxy.Forwarding.Http1;

namespace StickyIngress.Proxy.Tests.Http1;

/// <summary>What is a response's head, and what is not.</summary>
public sealed class ResponseHeadTests
{
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", "200 length -1")]
    [InlineData("HTTP/1.1 200\r\n\r\n", "200 length -1")]
    [InlineData("HTTP/1.1 200 \r\n\r\n", "200 length -1")]
    [InlineData("HTTP/1.1 200 Fine, thanks\r\n\r\n", "200 length -1 reason Fine, thanks")]
    [InlineData("HTTP/1.7 999 \u00e9\r\n\r\n", "999 length -1 reason \u00e9")]
    [InlineData("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\r\n", "200 length -1 1.0 keep-alive")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0012\r\n\r\n", "200 length 12")]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-length:9223372036854775807\r\n\r\n", "200 length 9223372036854775807")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", "200 length -1 chunked")]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: x, CLOSE\r\n\r\n", "200 length -1 close")]
    [InlineData("HTTP/1.1 200 OK\r\nX: \t a\tb \r\nY:\r\n\r\n", "200 length -1 X=a\tb Y=")]
    [InlineData("HTTP/1.1 200 OK\r\nX: \u00e9\u00ff\r\n\r\n", "200 length -1 X=\u00e9\u00ff")]
    public void Reads_a_head(string head, string expected) => Assert.Equal(expected, Describe(Feed(head)));

    [Theory]
    [InlineData("HTTP/0.9 200 OK\r\n\r\n")]
    [InlineData("HTTP/2.0 200 OK\r\n\r\n")]
    [InlineData("http/1.1 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.x 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1  200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 20 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 2000 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 099 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 +20 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 200-OK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 O\0K\r\n\r\n")]
    [InlineData("HTTP/1.1 200 O\rK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\n\r\n")]
    [InlineData("\r\nHTTP/1.1 200 OK\r\n\r\n")]
    [InlineData("<html>")]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\r\n\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\u007fb\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n X: first line folded\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX : a\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n: a\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX(y): a\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n\u00e9: a\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: \u000bchunked\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\n")]
    [InlineData("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")]
    public void Refuses_what_two_readers_could_read_differently(string head) => Assert.Equal("invalid", Describe(Feed(head)));

    [Fact]
    public void Refuses_more_headers_than_anybody_sends() =>
        Assert.Equal("invalid", Describe(Feed($"HTTP/1.1 200 OK\r\n{string.Concat(Enumerable.Repeat("X: 1\r\n", 257))}\r\n")));

    [Fact]
    public void How_the_bytes_are_cut_into_pieces_makes_no_difference()
    {
        var word = Gen.Char["abcXYZ-019"].Array[1, 12].Select(chars => new string(chars));
        var value = Gen.Char["abc \t;=,\u00e9"].Array[0, 30].Select(chars => new string(chars).Trim(' ', '\t'));
        var head = Gen.Select(Gen.Int[100, 999], Gen.Select(word, value).Array[0, 20]).Select((status, fields) =>
            $"HTTP/1.1 {status} {string.Concat(fields.Select(field => $"x\r\n{field.Item1}: {field.Item2}").Prepend("Reason"))}\r\n\r\n");

        Gen.Select(head, Gen.Int[1, 7]).Sample((text, size) =>
            Describe(Feed(text)) == Describe(Feed(text, size)), iter: 2000);
    }

    [Fact]
    public void No_bytes_make_it_throw_or_let_a_control_character_through()
    {
        const string Valid = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n";
        Gen.Select(Gen.Int[0, Valid.Length - 1], Gen.Byte, Gen.Int[0, 2]).Array[1, 4].Sample(changes =>
        {
            var bytes = Encoding.Latin1.GetBytes(Valid).ToList();
            foreach (var (at, with, how) in changes)
            {
                var place = Math.Min(at, bytes.Count - 1);
                if (how == 0) bytes[place] = with;
                else if (how == 1) bytes.Insert(place, with);
                else bytes.RemoveAt(place);
            }

            return Describe(Feed(Encoding.Latin1.GetString([.. bytes]))).All(text => text == '\t' || !char.IsControl(text) || text > 0x7f);
        }, iter: 20_000);
    }

    /// <summary>Of a connection that had other responses before, a head is read as if it were the first.</summary>
    [Fact]
    public void Reads_each_head_of_a_connection_for_itself()
    {
        string[] heads =
        [
            "HTTP/1.1 200 OK\r\nX: a\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX: a\r\nX: b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX: b\r\n\r\n",
            "HTTP/1.1 200 Fine\r\nX: a\r\n\r\n",
            "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: a\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX: a\r\nContent-Length: 5\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
            $"HTTP/1.1 200 OK\r\nX: {new string('a', 2000)}\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
        ];
        Gen.Select(Gen.Int[0, heads.Length - 1].Select(index => heads[index]).Array[1, 8], Gen.Int[0, 40]).Sample((several, size) =>
        {
            var head = new ResponseHead();
            return several.All(one => Describe(Feed(one, size, head)) == Describe(Feed(one)));
        });
    }

    /// <summary>Trailers belong to one response alone, so those that may have some are told apart.</summary>
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\r\nContent-Length: 5\r\n\r\n", true)]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\r\nTransfer-Encoding: chunked\r\n\r\n", false)]
    public void Finds_the_response_before_again(string text, bool isAgain)
    {
        var head = new ResponseHead();
        var first = Feed(text, 0, head).Head.Response;
        Assert.False(head.IsAsBefore);

        var second = Feed(text + "body", 0, head);
        Assert.Equal((ParseStep.Complete, isAgain, text.Length), (second.Step, head.IsAsBefore, head.Size));
        Assert.Equal(isAgain, ReferenceEquals(first, head.Response));
    }

    /// <param name="size">Bytes at a time; 0: all at once.</param>
    /// <param name="head">That of a connection; null: a new one.</param>
    private static (ParseStep Step, ResponseHead Head) Feed(string text, int size = 0, ResponseHead? head = null)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        head ??= new();
        head.Begin();
        var step = head.Read([]);
        for (var end = size == 0 ? bytes.Length : size; step == ParseStep.NeedsMore; end += Math.Max(1, size))
        {
            step = head.Read(bytes.AsSpan(0, Math.Min(end, bytes.Length)));
            if (end >= bytes.Length) break;
        }

        return (step, head);
    }

    private static string Describe((ParseStep Step, ResponseHead Head) read)
    {
        if (read.Step != ParseStep.Complete) return read.Step == ParseStep.Invalid ? "invalid" : "more";

        var head = read.Head;
        var text = new StringBuilder($"{head.Status} length {head.Length}");
        if (head.IsChunked) text.Append(" chunked");
        if (head.IsHttp10) text.Append(" 1.0");
        if (head.SaysClose) text.Append(" close");
        if (head.SaysKeepAlive) text.Append(" keep-alive");
        if (head.Reason is not null) text.Append($" reason {head.Reason}");
        foreach (var (name, value) in head.Response.Headers)
        {
            if (name.StartsWith('X') || name == "Y") text.Append($" {name}={value}");
        }

        return text.ToString();
    }
}
