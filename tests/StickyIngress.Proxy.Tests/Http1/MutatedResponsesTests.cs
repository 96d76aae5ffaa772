using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests.Http1;

/// <summary>
/// A peer that answers with bytes that are no HTTP, or nearly: whatever it sends, its client gets an answer that can be read, and nobody else notices.
/// </summary>
public sealed class MutatedResponsesTests
{
    /// <summary>
    /// Follows each answer at once; whoever gets it in place of what was asked for was given another one's response. It has a byte too many, so that
    /// no connection may be used again after it.
    /// </summary>
    private const string Smuggled = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled!";

    /// <summary>What the mutations begin with; what once went wrong belongs here.</summary>
    private static readonly string[] Corpus =
    [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n00a;name=\"value\"\r\n0123456789\r\n1\r\n!\r\n0\r\nX: y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: \"1\"\r\n\r\n",
        "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n\0\u0001\u0002",
        "HTTP/1.0 200 OK\r\nServer: old\r\n\r\nuntil the end",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nold",
        "HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nSet-Cookie: c=d\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 1\r\n\r\n.",
        "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>",
        "",
    ];

    private static readonly string[] Inserted = ["\r", "\n", "\r\n", "\r\n\r\n", "\0", " ", "\t", ":", ";", ",", "0", "\u00ff", "\u007f", "Transfer-Encoding: chunked\r\n", "Content-Length: 1\r\n"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Whatever_a_peer_sends_is_one_answer_or_none_and_not_another_requests(int seed)
    {
        const int Count = 200;
        var random = new Random(seed);
        var answers = Enumerable.Range(0, Count).Select(number => Mutate(Corpus[number % Corpus.Length], random)).ToArray();
        var reused = new ConcurrentQueue<string>();
        await using var backend = RawBackend.Start(async (stream, cancellationToken) =>
        {
            var (isGood, last) = (true, "");
            while (await RawBackend.ReadHeadAsync(stream, cancellationToken) is { Length: > 0 } head)
            {
                if (!isGood) reused.Enqueue(Escaped(last));
                var path = head.Split(' ')[1].Split('/');
                isGood = path[1] == "good";
                var answer = last = isGood ? $"HTTP/1.1 200 OK\r\nContent-Length: {5 + path[2].Length}\r\n\r\ngood {path[2]}" : answers[int.Parse(path[2])] + Smuggled;
                await stream.WriteAsync(Encoding.Latin1.GetBytes(answer), cancellationToken);
                if (!isGood) stream.Socket.Shutdown(SocketShutdown.Send);
            }
        });
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);

        for (var number = 0; number < Count; number++)
        {
            try
            {
                await proxy.Client.GetByteArrayAsync($"/bad/{number}", Stop);
            }
            catch (HttpRequestException e)
            {
                // It may be cut short, or say that it failed; the client must not find that it is no HTTP.
                Assert.True(e.HttpRequestError == HttpRequestError.ResponseEnded || e.StatusCode is not null, $"{Escaped(answers[number])}: {e}");
            }

            Assert.Equal($"good {number}", await proxy.Client.GetStringAsync($"/good/{number}", Stop));
        }

        Assert.Empty(reused);
        await Eventually.HoldsAsync(() => proxy.Upstream.Peers.All(peer => peer.State.Conns == 0), "nothing is held", Stop);
    }

    private static string Mutate(string text, Random random)
    {
        for (var changes = random.Next(4); changes > 0; changes--)
        {
            var (at, length) = (random.Next(text.Length + 1), random.Next(1, 6));
            var end = Math.Min(text.Length, at + length);
            text = random.Next(4) switch
            {
                0 => text.Insert(at, Inserted[random.Next(Inserted.Length)]),
                1 => text.Remove(at, end - at),
                2 => text.Insert(at, text[at..end]),
                _ => text[..at] + string.Concat(text[at..end].Select(_ => (char)random.Next(256))) + text[end..],
            };
        }

        return text;
    }

    private static string Escaped(string text) => string.Concat(text.Select(c => char.IsControl(c) ? $"\\x{(int)c:x2}" : c.ToString()));
}
