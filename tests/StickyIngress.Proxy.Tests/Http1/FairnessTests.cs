using System.Net.Sockets;
using System.Text;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests.Http1;

/// <summary>Requests are served on the thread that sees all sockets' events, so that nothing may keep it for itself. How well is what <c>make load</c> measures.</summary>
public sealed class FairnessTests
{
    private const int OthersRequests = 50;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_response_without_end_leaves_others_their_turn()
    {
        await using var backend = RawBackend.Start(AnswerAsync);
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);
        using var client = new TestClient(proxy.EndPoint);
        var stream = await client.ConnectAsync(Stop);
        await stream.WriteAsync("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(), Stop);
        var reading = Task.Run(() => ReadAllAsync(stream), Stop);

        for (var i = 0; i < OthersRequests; i++) Assert.Equal("ok", await proxy.Client.GetStringAsync("/", Stop));

        Assert.False(reading.IsCompleted);
        client.Dispose();
        await reading;
    }

    [Fact]
    public async Task A_request_without_end_leaves_others_their_turn()
    {
        await using var backend = RawBackend.Start(AnswerAsync);
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint], ProxyUnderTest.Settings with { MaxBodySize = 0 });
        using var client = new TestClient(proxy.EndPoint);
        var stream = await client.ConnectAsync(Stop);
        await stream.WriteAsync("POST /sink HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\n"u8.ToArray(), Stop);
        var writing = Task.Run(() => WriteWithoutEndAsync(stream), Stop);

        for (var i = 0; i < OthersRequests; i++) Assert.Equal("ok", await proxy.Client.GetStringAsync("/", Stop));

        Assert.False(writing.IsCompleted);
        client.Dispose();
        await writing;
    }

    [Fact]
    public async Task Many_requests_at_once_are_answered_in_order()
    {
        await using var backend = RawBackend.Start(AnswerAsync);
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);
        using var client = new TestClient(proxy.EndPoint);
        var stream = await client.ConnectAsync(Stop);

        // A Host that is none is refused by us, without waiting for anybody.
        await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("GET / HTTP/1.1\r\nHost: a..b\r\n\r\n", OthersRequests)) + "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), Stop);

        for (var i = 0; i < OthersRequests; i++)
        {
            Assert.StartsWith("HTTP/1.1 400 Bad Request\r\n", await RawBackend.ReadHeadAsync(stream, Stop));
            await stream.ReadExactlyAsync(new byte["400 Bad Request\n".Length], Stop);
        }

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await RawBackend.ReadHeadAsync(stream, Stop));
    }

    private static async Task AnswerAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        while (true)
        {
            var head = await RawBackend.ReadHeadAsync(stream, cancellationToken);
            if (head.Length == 0) return;

            if (head.StartsWith("GET /endless", StringComparison.Ordinal))
            {
                await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n"u8.ToArray(), cancellationToken);
                await WriteWithoutEndAsync(stream);
                return;
            }

            if (head.StartsWith("POST /sink", StringComparison.Ordinal))
            {
                await ReadAllAsync(stream);
                return;
            }

            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8.ToArray(), cancellationToken);
        }
    }

    /// <summary>Until the other side has gone.</summary>
    private static async Task ReadAllAsync(Stream stream)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await stream.ReadAsync(buffer) > 0)
            {
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // That is the end of it.
        }
    }

    /// <summary>Until the other side has gone.</summary>
    private static async Task WriteWithoutEndAsync(Stream stream)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (true) await stream.WriteAsync(buffer);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // That is the end of it.
        }
    }
}
