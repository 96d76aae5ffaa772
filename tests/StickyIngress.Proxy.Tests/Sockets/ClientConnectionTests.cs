using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using StickyIngress.Proxy.Clients;
using StickyIngress.Proxy.Sockets;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests.Sockets;

public sealed class ClientConnectionTests
{
    private const int Megabyte = 1024 * 1024;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_client_that_still_sends_gets_the_answer_that_came_early()
    {
        await using var backend = await TestBackend.StartAsync("a", _ => Task.CompletedTask);
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint], ProxyUnderTest.Settings with { MaxBodySize = 10 });
        using var client = new TestClient(proxy.EndPoint);
        var stream = await client.ConnectAsync(Stop);

        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {16 * Megabyte}\r\n\r\n"), Stop);
        await stream.WriteAsync(new byte[16 * Megabyte], Stop);

        Assert.StartsWith("HTTP/1.1 413", await RawBackend.ReadHeadAsync(stream, Stop));
    }

    [Fact]
    public async Task A_client_that_reads_slowly_gets_everything()
    {
        var body = new byte[32 * Megabyte];
        new Random(5).NextBytes(body);
        await using var backend = await TestBackend.StartAsync("a", context => context.Response.Body.WriteAsync(body).AsTask());
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await client.ConnectAsync(proxy.EndPoint, Stop);
        var stream = new NetworkStream(client);

        await stream.WriteAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8.ToArray(), Stop);
        await RawBackend.ReadHeadAsync(stream, Stop);
        var rest = new MemoryStream();
        await stream.CopyToAsync(rest, Stop);

        // In chunks, so a little longer.
        Assert.InRange(rest.Length, body.Length, body.Length + Megabyte);
        Assert.True(rest.ToArray().AsSpan().IndexOf(body.AsSpan(0, 1000)) >= 0);
    }

    [Fact]
    public async Task Each_byte_of_a_request_may_come_by_itself()
    {
        await using var backend = await TestBackend.StartAsync("a", async context =>
        {
            var body = await new StreamReader(context.Request.Body).ReadToEndAsync(Stop);
            await context.Response.WriteAsync($"{context.Request.Path} {body}");
        });
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);
        using var client = new TestClient(proxy.EndPoint);
        var stream = await client.ConnectAsync(Stop);
        stream.Socket.NoDelay = true;

        foreach (var one in "POST /path HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"u8.ToArray()) await stream.WriteAsync(new[] { one }, Stop);

        Assert.Contains("/path hello", await new StreamReader(stream).ReadToEndAsync(Stop));
    }

    [Fact]
    public async Task Long_headers_come_whole()
    {
        await using var backend = await TestBackend.StartAsync("a", context => context.Response.WriteAsync(context.Request.Headers["X-Long"].ToString()));
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);
        var value = string.Concat(Enumerable.Range(0, 3000).Select(number => $"{number}-"));

        using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { "X-Long", value } } };
        var answer = await proxy.Client.SendAsync(request, Stop);

        Assert.Equal(value, await answer.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task Requests_that_come_at_once_are_answered_in_turn_each_with_its_own()
    {
        const int Clients = 8, Requests = 100;
        await using var backend = await TestBackend.StartAsync("a", context => context.Response.WriteAsync($"<{context.Request.Path}>"));
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async number =>
        {
            using var client = new TestClient(proxy.EndPoint);
            var stream = await client.ConnectAsync(Stop);
            var requests = Enumerable.Range(0, Requests).Select(request => $"GET /{number}/{request} HTTP/1.1\r\nHost: x\r\n\r\n");
            await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Concat(requests) + "GET /end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), Stop);

            var answers = await new StreamReader(stream).ReadToEndAsync(Stop);
            var paths = answers.Split('<').Skip(1).Select(body => body[..body.IndexOf('>')]);

            Assert.Equal([.. Enumerable.Range(0, Requests).Select(request => $"/{number}/{request}"), "/end"], paths);
        }));
    }

    [Fact]
    public async Task A_read_that_waits_ends_with_bytes_when_it_is_canceled_and_when_the_client_is_gone()
    {
        Assert.SkipUnless(EventLoop.IsSupported, "event loops are for Linux on x64 and arm64");
        using var watch = new SendWatch(TimeProvider.System, new(TimeProvider.System));
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndpoint, Stop);
        await using var connection = new ClientConnection(await listener.AcceptSocketAsync(Stop), System.Buffers.MemoryPool<byte>.Shared, watch);
        connection.Socket.Start();
        var input = connection.Input;

        var canceled = input.ReadAsync(Stop);
        input.CancelPendingRead();
        Assert.True((await canceled).IsCanceled);
        input.AdvanceTo(default);

        for (var round = 0; round < 3; round++)
        {
            var reading = input.ReadAsync(CancellationToken.None);
            Assert.False(reading.IsCompleted);
            await client.SendAsync("hello"u8.ToArray(), Stop);
            var read = await reading;
            Assert.Equal("hello", Encoding.ASCII.GetString(read.Buffer));
            input.AdvanceTo(read.Buffer.End);
        }

        var again = input.ReadAsync(CancellationToken.None);
        input.CancelPendingRead();
        Assert.True((await again).IsCanceled);
        input.AdvanceTo(default);

        var last = input.ReadAsync(CancellationToken.None);
        client.Close(0);
        await Assert.ThrowsAsync<ConnectionResetException>(() => last.AsTask());
    }

    [Fact]
    public void Features_are_those_that_were_set_last()
    {
        using var watch = new SendWatch(TimeProvider.System, new(TimeProvider.System));
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var features = new ClientConnection(socket, System.Buffers.MemoryPool<byte>.Shared, watch).Features;
        var (count, revision) = (features.Count(), features.Revision);
        Assert.IsType<ClientConnection>(features.Get<IConnectionIdFeature>());

        features.Set<ISomething>(new Something(1));
        features.Set<ISomething>(new Something(2));

        Assert.Equal(new Something(2), features.Get<ISomething>());
        Assert.Equal(count + 1, features.Count());
        Assert.NotEqual(revision, features.Revision);

        features.Set<ISomething>(null);
        Assert.Null(features.Get<ISomething>());
        Assert.Equal(count, features.Count());
    }

    private interface ISomething;

    private sealed record Something(int Number) : ISomething;
}
