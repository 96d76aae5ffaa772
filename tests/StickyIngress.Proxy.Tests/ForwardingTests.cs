using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyIngress.Core.Upstreams;
using StickyIngress.Proxy.Clients;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests;

/// <summary>What reaches the peer, and what comes back to the client; the same whichever engine speaks to the peer.</summary>
public abstract class ForwardingTests(PeerEngine engine)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/a%2Fb/%7Euser;x=1?q=%20a+b&c=%zz")]
    [InlineData("/a//b/./c?")]
    [InlineData("/%E4%BD%A0?x=[1]{2}|")]
    public async Task The_target_reaches_the_peer_byte_for_byte(string target)
    {
        await using var backend = await TestBackend.StartAsync("a", EchoTarget);
        await using var proxy = await StartAsync([backend.EndPoint]);

        var answer = await TestClient.ExchangeAsync(proxy.EndPoint, $"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", Stop);

        Assert.EndsWith($"\r\n{target}\r\n0\r\n\r\n", answer);
    }

    [Fact]
    public async Task An_absolute_target_gives_host_and_path()
    {
        await using var backend = await TestBackend.StartAsync(
            "a", context => context.Response.WriteAsync($"{context.Request.Host} {context.Features.Get<IHttpRequestFeature>()!.RawTarget}"));
        await using var proxy = await StartAsync([backend.EndPoint]);

        var answer = await TestClient.ExchangeAsync(
            proxy.EndPoint, "GET http://Shop.Example.com:81/a?b HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n", Stop);

        Assert.Contains("shop.example.com /a?b", answer);
    }

    [Fact]
    public async Task The_client_cannot_speak_for_the_proxy()
    {
        await using var backend = await TestBackend.StartAsync("a", context => context.Response.WriteAsync(
            string.Join('|', "X-Forwarded-For X-Forwarded-Proto X-Forwarded-Host X-Real-IP".Split(' ').Select(name => context.Request.Headers[name].ToString()))));
        await using var proxy = await StartAsync([backend.EndPoint]);

        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Host = "shop.example.com";
        foreach (var (name, value) in new[] { ("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil"), ("X-Real-IP", "6.6.6.6") })
            request.Headers.Add(name, value);
        var answer = await (await proxy.Client.SendAsync(request, Stop)).Content.ReadAsStringAsync(Stop);

        Assert.Equal("127.0.0.1|http|shop.example.com|127.0.0.1", answer);
    }

    [Fact]
    public async Task A_trusted_proxy_is_believed_and_added_to()
    {
        await using var backend = await TestBackend.StartAsync("a", context => context.Response.WriteAsync(
            string.Join('|', "X-Forwarded-For X-Forwarded-Proto X-Real-IP".Split(' ').Select(name => context.Request.Headers[name].ToString()))));
        await using var proxy = await StartAsync([backend.EndPoint], trusted: new([IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("10.0.0.0/8")]));

        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("X-Forwarded-For", "6.6.6.6, 192.0.2.7, 10.1.2.3");
        request.Headers.Add("X-Forwarded-Proto", "https");
        var answer = await (await proxy.Client.SendAsync(request, Stop)).Content.ReadAsStringAsync(Stop);

        Assert.Equal("6.6.6.6, 192.0.2.7, 10.1.2.3, 127.0.0.1|https|192.0.2.7", answer);
    }

    [Theory]
    [InlineData("192.0.2.7:99", "192.0.2.7")]
    [InlineData("[2001:db8::1]:80", "2001:db8::1")]
    [InlineData("192.0.2.7, garbage", "127.0.0.1")]
    [InlineData("1", "127.0.0.1")]
    [InlineData(",,", "127.0.0.1")]
    public async Task A_trusted_proxy_may_send_nonsense(string forwardedFor, string client)
    {
        await using var backend = await TestBackend.StartAsync("a", context => context.Response.WriteAsync(context.Request.Headers["X-Real-IP"].ToString()));
        await using var proxy = await StartAsync([backend.EndPoint], trusted: new([IPNetwork.Parse("127.0.0.0/8")]));

        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", forwardedFor);

        Assert.Equal(client, await (await proxy.Client.SendAsync(request, Stop)).Content.ReadAsStringAsync(Stop));
    }

    [Theory]
    [InlineData("close, X-Secret")]
    [InlineData("X-Secret, Close")]
    [InlineData("keep-alive, X-Secret")]
    [InlineData("Upgrade, X-Secret")]
    [InlineData("close\r\nConnection: x-secret")]
    public async Task A_header_that_the_connection_header_names_ends_here(string connection)
    {
        await using var backend = await TestBackend.StartAsync("a", context => context.Response.WriteAsync(string.Join(',', context.Request.Headers.Keys)));
        await using var proxy = await StartAsync([backend.EndPoint]);
        using var client = new TestClient(proxy.EndPoint);
        var stream = await client.ConnectAsync(Stop);

        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: x\r\nConnection: {connection}\r\nX-Secret: 1\r\nX-Kept: 1\r\n\r\n"), Stop);
        var head = await RawBackend.ReadHeadAsync(stream, Stop);
        var names = new byte[1000];
        var read = await stream.ReadAsync(names, Stop);

        Assert.Contains("X-Kept", Encoding.ASCII.GetString(names, 0, read));
        Assert.DoesNotContain("X-Secret", Encoding.ASCII.GetString(names, 0, read));
        Assert.Equal(connection.Contains("close", StringComparison.OrdinalIgnoreCase), head.Contains("Connection: close"));
    }

    [Fact]
    public async Task Headers_for_one_hop_end_here()
    {
        await using var backend = await TestBackend.StartAsync("a", context =>
        {
            context.Response.Headers["Keep-Alive"] = "timeout=5";
            context.Response.Headers["X-Kept"] = "yes";
            return context.Response.WriteAsync(string.Join(',', context.Request.Headers.Keys.Order(StringComparer.Ordinal)));
        });
        await using var proxy = await StartAsync([backend.EndPoint]);

        var answer = await TestClient.ExchangeAsync(
            proxy.EndPoint,
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nKeep-Alive: 5\r\nTE: gzip\r\nX-Kept: 1\r\nProxy-Authorization: x\r\n\r\n",
            Stop);

        Assert.Contains("\nHost,X-Forwarded-For,X-Forwarded-Host,X-Forwarded-Proto,X-Kept,X-Real-IP\r\n", answer);
        Assert.Contains("X-Kept: yes", answer);
        Assert.DoesNotContain("timeout=5", answer);
    }

    [Fact]
    public async Task Header_values_keep_their_bytes_both_ways()
    {
        await using var backend = RawBackend.Start(async (stream, cancellationToken) =>
        {
            var head = await RawBackend.ReadHeadAsync(stream, cancellationToken);
            var value = head.Split("X-Bytes: ")[1].Split("\r\n")[0];
            await stream.WriteAsync(Encoding.Latin1.GetBytes($"HTTP/1.1 200 OK\r\nX-Back: {value}\r\nContent-Length: 0\r\n\r\n"), cancellationToken);
        });
        await using var proxy = await StartAsync([backend.EndPoint]);

        var answer = await TestClient.ExchangeAsync(
            proxy.EndPoint, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Bytes: \u00c3\u00a9\u00ff\r\n\r\n", Stop);

        Assert.Contains("X-Back: \u00c3\u00a9\u00ff\r\n", answer);
    }

    [Fact]
    public async Task A_large_request_body_reaches_the_peer_while_it_comes_in()
    {
        var arrived = new TaskCompletionSource<int>();
        await using var backend = await TestBackend.StartAsync("a", async context =>
        {
            arrived.SetResult(await context.Request.Body.ReadAsync(new byte[100]));
            await context.Request.Body.CopyToAsync(Stream.Null);
            await context.Response.WriteAsync("all of it");
        });
        await using var proxy = await StartAsync([backend.EndPoint]);
        using var client = new TestClient(proxy.EndPoint);
        var stream = await client.ConnectAsync(Stop);
        var half = new byte[200_000];

        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {2 * half.Length}\r\nConnection: close\r\n\r\n"), Stop);
        await stream.WriteAsync(half, Stop);
        Assert.NotEqual(0, await arrived.Task.WaitAsync(Stop));
        await stream.WriteAsync(half, Stop);

        Assert.Contains("all of it", await new StreamReader(stream).ReadToEndAsync(Stop));
    }

    [Fact]
    public async Task A_response_body_reaches_the_client_while_it_comes_in()
    {
        var goOn = new TaskCompletionSource();
        await using var backend = await TestBackend.StartAsync("a", async context =>
        {
            await context.Response.WriteAsync("first");
            await context.Response.Body.FlushAsync();
            await goOn.Task;
            await context.Response.WriteAsync("second");
        });
        await using var proxy = await StartAsync([backend.EndPoint]);

        await using var stream = await proxy.Client.GetStreamAsync("/", Stop);
        var first = new byte[5];
        await stream.ReadExactlyAsync(first, Stop);
        goOn.SetResult();

        Assert.Equal("first", Encoding.ASCII.GetString(first));
        Assert.Equal("second", await new StreamReader(stream).ReadToEndAsync(Stop));
    }

    [Theory]
    [InlineData("Content-Length: 20")]
    [InlineData("Transfer-Encoding: chunked")]
    public async Task A_body_over_the_limit_is_413(string framing)
    {
        await using var backend = await TestBackend.StartAsync("a", async context => await context.Request.Body.CopyToAsync(Stream.Null));
        await using var proxy = await StartAsync([backend.EndPoint], ProxyUnderTest.Settings with { MaxBodySize = 10 });

        var body = framing.StartsWith('C') ? new string('x', 20) : $"14\r\n{new string('x', 20)}\r\n0\r\n\r\n";
        var answer = await TestClient.ExchangeAsync(
            proxy.EndPoint, $"POST / HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n{body}", Stop);

        Assert.StartsWith("HTTP/1.1 413", answer);
        Assert.Contains("\r\nConnection: close\r\n", answer);
        Assert.Equal(0, proxy.Upstream.Primaries.Peers[0].State.Fails);
        proxy.AssertNothingHeld();
    }

    [Fact]
    public async Task Without_a_limit_a_large_body_passes()
    {
        await using var backend = await TestBackend.StartAsync("a", async context =>
        {
            var counted = new MemoryStream();
            await context.Request.Body.CopyToAsync(counted);
            await context.Response.WriteAsync(counted.Length.ToString());
        });
        await using var proxy = await StartAsync([backend.EndPoint], ProxyUnderTest.Settings with { MaxBodySize = 0 });

        var answer = await proxy.Client.PostAsync("/", new ByteArrayContent(new byte[40_000_000]), Stop);

        Assert.Equal("40000000", await answer.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task Expect_100_continue_is_answered_and_the_body_arrives()
    {
        await using var backend = await TestBackend.StartAsync("a", async context =>
            await context.Response.WriteAsync($"{await new StreamReader(context.Request.Body).ReadToEndAsync()} {context.Request.Headers.Expect}"));
        await using var proxy = await StartAsync([backend.EndPoint]);
        using var client = new TestClient(proxy.EndPoint);
        var stream = await client.ConnectAsync(Stop);

        await stream.WriteAsync("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"u8.ToArray(), Stop);
        var interim = await RawBackend.ReadHeadAsync(stream, Stop);
        await stream.WriteAsync("body"u8.ToArray(), Stop);
        var answer = await new StreamReader(stream).ReadToEndAsync(Stop);

        Assert.StartsWith("HTTP/1.1 100", interim);
        Assert.Contains("body ", answer);
    }

    [Fact]
    public async Task Head_has_the_length_and_no_body()
    {
        await using var backend = await TestBackend.StartAsync("a", context =>
        {
            context.Response.ContentLength = 5;
            return Task.CompletedTask;
        });
        await using var proxy = await StartAsync([backend.EndPoint]);

        var answer = await TestClient.ExchangeAsync(proxy.EndPoint, "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", Stop);

        Assert.Contains("Content-Length: 5\r\n", answer);
        Assert.EndsWith("\r\n\r\n", answer);
    }

    [Theory]
    [InlineData("POST", "0")]
    [InlineData("PUT", "0")]
    [InlineData("PATCH", "0")]
    [InlineData("GET", "")]
    [InlineData("DELETE", "")]
    public async Task A_request_that_might_have_a_body_says_that_it_has_none(string method, string length)
    {
        await using var backend = await TestBackend.StartAsync("a", context => context.Response.WriteAsync($"[{context.Request.Headers.ContentLength}]"));
        await using var proxy = await StartAsync([backend.EndPoint]);

        var answer = await TestClient.ExchangeAsync(proxy.EndPoint, $"{method} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", Stop);

        Assert.Contains($"[{length}]", answer);
    }

    [Fact]
    public async Task Interim_responses_do_not_disturb()
    {
        await using var backend = RawBackend.Sending("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using var proxy = await StartAsync([backend.EndPoint]);

        Assert.Equal("ok", await proxy.Client.GetStringAsync("/", Stop));
    }

    [Fact]
    public async Task A_websocket_carries_messages_both_ways_and_holds_the_peer_until_it_ends()
    {
        await using var backend = await TestBackend.StartAsync("a", EchoWebSocket);
        await using var proxy = await StartAsync([backend.EndPoint]);
        using var socket = new ClientWebSocket();

        await socket.ConnectAsync(new Uri($"ws://{proxy.EndPoint}/chat"), Stop);
        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, true, Stop);
        var buffer = new byte[100];
        var received = await socket.ReceiveAsync(buffer, Stop);

        Assert.Equal("hello", Encoding.UTF8.GetString(buffer, 0, received.Count));
        Assert.Equal(1, proxy.Upstream.Primaries.Peers[0].State.Conns);

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Stop);
        await Eventually.HoldsAsync(() => proxy.Upstream.Primaries.Peers[0].State.Conns == 0, "the peer is let go", Stop);
    }

    [Fact]
    public async Task A_unix_socket_is_a_peer_like_any_other()
    {
        var path = Path.Combine(Path.GetTempPath(), $"sticky-{Guid.NewGuid():N}.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        var serving = Task.Run(async () =>
        {
            using var client = await listener.AcceptAsync(Stop);
            await using var stream = new NetworkStream(client);
            await RawBackend.ReadHeadAsync(stream, Stop);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nunix"u8.ToArray(), Stop);
        }, Stop);
        await using var proxy = await StartAsync([new UnixDomainSocketEndPoint(path)]);

        Assert.Equal("unix", await proxy.Client.GetStringAsync("/", Stop));

        await serving;
        File.Delete(path);
    }

    [Fact]
    public async Task An_IPv6_address_is_a_peer_like_any_other()
    {
        await using var backend = await TestBackend.StartAsync("six", address: IPAddress.IPv6Loopback);
        await using var proxy = await StartAsync([backend.EndPoint]);

        Assert.Equal("six", await proxy.Client.GetStringAsync("/", Stop));

        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count == 1, "the request ended", Stop);
        Assert.Equal($"200 [[::1]:{backend.EndPoint.Port}] [200]", proxy.Log.Lines[0]);
    }

    [Fact]
    public async Task A_client_that_leaves_lets_the_peer_go_without_blame()
    {
        await using var backend = RawBackend.Silent();
        await using var proxy = await StartAsync([backend.EndPoint, backend.EndPoint]);
        using (var client = new TestClient(proxy.EndPoint))
        {
            var stream = await client.ConnectAsync(Stop);
            await stream.WriteAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(), Stop);
            await Eventually.HoldsAsync(() => backend.Connections == 1, "the request is at the peer", Stop);
        }

        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count == 1, "the request ended", Stop);
        proxy.AssertNothingHeld();
        Assert.All(proxy.Upstream.Peers, peer => Assert.Equal(0, peer.State.Fails));
        Assert.StartsWith("499 ", proxy.Log.Lines[0]);
    }

    [Fact]
    public async Task A_response_that_breaks_off_is_cut_for_the_client_and_not_blamed()
    {
        await using var backend = RawBackend.Sending("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort");
        await using var proxy = await StartAsync([backend.EndPoint, backend.EndPoint]);

        await Assert.ThrowsAnyAsync<Exception>(() => proxy.Client.GetStringAsync("/", Stop));

        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count == 1, "the request ended", Stop);
        proxy.AssertNothingHeld();
        Assert.All(proxy.Upstream.Peers, peer => Assert.Equal(0, peer.State.Fails));
    }

    [Fact]
    public async Task A_set_header_cannot_be_split_by_what_a_variable_holds()
    {
        await using var backend = await TestBackend.StartAsync("a", context => context.Response.WriteAsync(
            $"{context.Request.Headers["X-From"]}|{context.Request.Headers.ContainsKey("X-Evil")}|{context.Request.Headers.UserAgent}"));
        await using var proxy = await StartAsync([backend.EndPoint], ProxyUnderTest.Settings with
        {
            SetHeaders = [new("X-From", TestTemplates.Parse("$uri")), new("User-Agent", TestTemplates.Parse(""))],
            ResponseHeaders = [new("X-Uri", TestTemplates.Parse("$uri"), Always: false)],
        });

        var answer = await TestClient.ExchangeAsync(
            proxy.EndPoint, "GET /a%0d%0aX-Evil:%201 HTTP/1.1\r\nHost: x\r\nUser-Agent: me\r\nConnection: close\r\n\r\n", Stop);

        Assert.Contains("/a  X-Evil: 1|False|", answer);
        Assert.Contains("X-Uri: /a  X-Evil: 1\r\n", answer);
    }

    [Theory]
    [InlineData("TRACE / HTTP/1.1\r\nHost: x", 405)]
    [InlineData("CONNECT x:80 HTTP/1.1\r\nHost: x:80", 405)]
    [InlineData("GET / HTTP/1.1\r\nHost: a b", 400)]
    [InlineData("OPTIONS * HTTP/1.1\r\nHost: x", 400)]
    [InlineData("GET / HTTP/1.0", 200)]
    public async Task Odd_requests_get_what_nginx_gives(string head, int status)
    {
        await using var backend = await TestBackend.StartAsync("a");
        await using var proxy = await StartAsync([backend.EndPoint]);

        var answer = await TestClient.ExchangeAsync(proxy.EndPoint, $"{head}\r\nConnection: close\r\n\r\n", Stop);

        Assert.StartsWith($"HTTP/1.1 {status}", answer);
    }

    private Task<ProxyUnderTest> StartAsync(IReadOnlyList<EndPoint> peers, ProxySettings? settings = null, TrustedProxies? trusted = null) =>
        ProxyUnderTest.StartAsync(peers, (settings ?? ProxyUnderTest.Settings) with { Engine = engine }, trusted: trusted);

    private static Task EchoTarget(HttpContext context) => context.Response.WriteAsync(context.Features.Get<IHttpRequestFeature>()!.RawTarget);

    private static async Task EchoWebSocket(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[100];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer, default);
            if (received.MessageType == WebSocketMessageType.Close) break;
            await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, default);
        }

        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, default);
    }
}

public sealed class Http1ForwardingTests() : ForwardingTests(PeerEngine.Auto);

public sealed class YarpForwardingTests() : ForwardingTests(PeerEngine.Yarp);
