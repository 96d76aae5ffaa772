using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using StickyIngress.Proxy.Sockets;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests.Clients;

/// <summary>Requests that are served without the server, beside those that are left to it. After the first that is left all are.</summary>
public abstract class ClientSessionTests(bool isTls)
{
    private const int Cases = 250;

    /// <summary>Not plain, and a good request.</summary>
    private const string ForServer = "GET /%66irst HTTP/1.1\r\nHost: x\r\n\r\n";

    private static readonly string[] Methods = ["GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "LOCK", "TRACE", "get", "G(T"];

    private static readonly string[] Targets =
        ["/", "/a", "/a/b?c=d", "//a", "/a/../b", "/a/./b", "/.a", "/a%2fb", "/a%zz", "/?a=%20", "/a;b=c", "/a b", "*", "http://y/z", "a", "/\u00e9", "/a?b?c", "/~a!$&'()*+,:@"];

    private static readonly string[] Fields =
    [
        "X-A: 1", "x-a: 2", "X-A:", "X-A:\t tabbed \t", "X_A: 3", "X-Forwarded-For: 1.2.3.4", "X-Real-IP: 1.2.3.4", "Cookie: a=1; b=2", "cookie: c=3", "Accept: */*",
        "Connection: keep-alive", "Connection: X-A", "Keep-Alive: 5", "TE: trailers", "Proxy-Connection: x", "Upgrade: h2c", "HTTP2-Settings: x", "Content-Length: 0",
        "Content-Length: 00", "Content-Length: a", "Transfer-Encoding: identity", "Expect: x", "Host: y", "X : y", " folded", "X-A: \u00e9\u00ff", "X-A: \u0001", "X-A: a\0b", "X(: y",
        "Range: bytes=0-1", "Authorization: Basic YTpi", "User-Agent: some/1.0 (x; y)", "Content-Type: a/b", "Trailer: x",
    ];

    private static readonly string[] Hosts = ["Host: x", "Host: x", "Host: x", "Host: X.y:81", "host: 1.2.3.4", "Host: [::1]:80", "Host: x y", "Host: x/y", "Host: x:", "Host:", "Host: x_y.z."];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_request_means_the_same_here_and_to_the_server(int seed)
    {
        await using var backend = Echo();
        await using var proxy = await StartAsync(backend.EndPoint);
        var random = new Random(seed);
        for (var i = 0; i < Cases; i++)
        {
            var request = MakeRequest(random);

            var here = await ExchangeAsync(proxy, request);
            var server = await ExchangeAsync(proxy, ForServer + request);

            server = server[server.IndexOf("HTTP/1.1 ", 1, StringComparison.Ordinal)..];
            Assert.True(Comparable(here) == Comparable(server), $"{request}\nhere: {here}\nserver: {server}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_response_is_passed_on_as_the_server_does_it(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < Cases / 5; i++)
        {
            var (method, response) = (random.GetItems(["GET", "HEAD", "POST"], 1)[0], MakeResponse(random));
            await using var backend = RawBackend.Start(async (stream, cancellationToken) =>
            {
                var head = await RawBackend.ReadHeadAsync(stream, cancellationToken);
                await stream.WriteAsync(Encoding.Latin1.GetBytes(head.Contains("irst ", StringComparison.Ordinal) ? "HTTP/1.1 204 x\r\nConnection: close\r\n\r\n" : response), cancellationToken);
            });
            await using var proxy = await StartAsync(backend.EndPoint);
            var request = $"{method} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

            var here = await ExchangeAsync(proxy, request);
            var server = await ExchangeAsync(proxy, ForServer + request);

            server = server[server.IndexOf("HTTP/1.1 ", 1, StringComparison.Ordinal)..];
            Assert.True(Comparable(InOneChunk(here)) == Comparable(InOneChunk(server)), $"{method}\n{response}\nhere: {here}\nserver: {server}");
        }
    }

    [Fact]
    public async Task Requests_of_both_kinds_are_answered_in_turn()
    {
        await using var backend = await TestBackend.StartAsync("a", async context =>
            await context.Response.WriteAsync($"<{context.Request.Path} {context.Request.Headers["X-A"]} {await new StreamReader(context.Request.Body).ReadToEndAsync(Stop)}>"));
        await using var proxy = await StartAsync(backend.EndPoint);

        var answers = await ExchangeAsync(
            proxy,
            "GET /1 HTTP/1.1\r\nHost: x\r\nX-A: a\r\n\r\n" +
            "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n" +
            "POST /3 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody" +
            "GET /4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        Assert.Equal(["/1 a ", "/2  ", "/3  body", "/4  "], answers.Split('<').Skip(1).Select(answer => answer[..answer.IndexOf('>')]));
    }

    [Fact]
    public async Task An_answer_has_nothing_of_the_one_before()
    {
        await using var backend = await TestBackend.StartAsync("a", context =>
        {
            if (context.Request.Path == "/1") (context.Response.StatusCode, context.Response.Headers["X-Secret"]) = (404, "1");
            return context.Response.WriteAsync("body");
        });
        await using var proxy = await StartAsync(backend.EndPoint);

        var answers = await ExchangeAsync(proxy, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 404 Not Found\r\n", answers);
        var second = answers[answers.IndexOf("HTTP/1.1 200 OK\r\n", StringComparison.Ordinal)..];
        Assert.DoesNotContain("X-Secret", second);
        Assert.Contains("\r\nDate: ", second);
    }

    [Fact]
    public async Task Clients_that_come_at_once_are_all_taken_in_until_the_server_stops()
    {
        await using var backend = await TestBackend.StartAsync("a");
        await using var proxy = await StartAsync(backend.EndPoint);

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ =>
            ExchangeAsync(proxy, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")));
        await proxy.StopAsync();

        Assert.All(answers, answer => Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer));
        await Assert.ThrowsAsync<SocketException>(() => ExchangeAsync(proxy, ""));
    }

    [Fact]
    public async Task A_client_without_a_request_is_sent_away()
    {
        Assert.SkipUnless(EventLoop.IsSupported, "event loops are for Linux on x64 and arm64");
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var backend = await TestBackend.StartAsync("a");
        await using var proxy = await StartAsync(backend.EndPoint, time);
        using var asking = new TestClient(proxy.EndPoint);
        using var silent = new TestClient(proxy.EndPoint);
        var (first, second) = (await ConnectAsync(asking), await ConnectAsync(silent));

        for (var i = 0; i < 5; i++)
        {
            await RequestAsync(first);
            time.Advance(TimeSpan.FromSeconds(50));
        }

        await EndsAsync(second);
        await EndsAsync(first);

        async Task EndsAsync(Stream stream)
        {
            var read = stream.ReadAsync(new byte[1], Stop).AsTask();
            await Eventually.HoldsAsync(
                () =>
                {
                    time.Advance(TimeSpan.FromSeconds(1));
                    return read.IsCompleted;
                },
                "the connection was closed",
                Stop);
            Assert.Equal(0, await read);
        }
    }

    [Fact]
    public async Task What_is_under_way_is_answered_when_the_server_stops()
    {
        var (came, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var backend = await TestBackend.StartAsync("a", async context =>
        {
            if (context.Request.Path != "/slow") return;
            came.SetResult();
            await goOn.Task;
            await context.Response.WriteAsync("done");
        });
        await using var proxy = await StartAsync(backend.EndPoint);
        using var idle = new TestClient(proxy.EndPoint);
        var idleStream = await ConnectAsync(idle);
        await RequestAsync(idleStream);
        var slow = ExchangeAsync(proxy, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
        await came.Task.WaitAsync(Stop);

        var stopping = proxy.StopAsync();
        Assert.Equal(0, await idleStream.ReadAsync(new byte[1], Stop));
        goOn.SetResult();

        var answer = await slow;
        Assert.EndsWith("done\r\n0\r\n\r\n", answer);
        Assert.Contains("\r\nConnection: close\r\n", answer);
        await stopping.WaitAsync(Stop);
    }

    [Fact]
    public async Task While_draining_each_answer_is_the_last_of_its_connection()
    {
        await using var backend = await TestBackend.StartAsync("a");
        await using var proxy = await StartAsync(backend.EndPoint);
        using var client = new TestClient(proxy.EndPoint);
        var stream = await ConnectAsync(client);
        await RequestAsync(stream);

        proxy.Draining.Begin();
        await stream.WriteAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(), Stop);
        var answer = await new StreamReader(stream).ReadToEndAsync(Stop);

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer);
        Assert.Contains("\r\nConnection: close\r\n", answer);
    }

    [Theory]
    [InlineData("GET /a HTTP/1.1\r\nHost: x\r\n")]
    [InlineData("GET")]
    public async Task A_client_that_leaves_in_the_middle_of_a_head_harms_nobody(string part)
    {
        await using var backend = await TestBackend.StartAsync("a");
        await using var proxy = await StartAsync(backend.EndPoint);
        using (var client = new TestClient(proxy.EndPoint))
        {
            var stream = await ConnectAsync(client);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(part), Stop);
            client.EndSending();
            await new StreamReader(stream).ReadToEndAsync(Stop);
        }

        Assert.Equal("a", await proxy.Client.GetStringAsync("/", Stop));
        Assert.Single(backend.Requests);
    }

    [Fact]
    public async Task Headers_are_spelled_as_the_peer_spells_them_and_by_the_server_in_its_own_way()
    {
        Assert.SkipUnless(EventLoop.IsSupported, "event loops are for Linux on x64 and arm64");
        await using var backend = RawBackend.Start(static async (stream, cancellationToken) =>
        {
            while (await RawBackend.ReadHeadAsync(stream, cancellationToken) is { Length: > 0 })
                await stream.WriteAsync("HTTP/1.1 200 OK\r\ncontent-LENGTH: 0\r\nset-COOKIE: a=b\r\n\r\n"u8.ToArray(), cancellationToken);
        });
        await using var proxy = await StartAsync(backend.EndPoint);
        const string Plain = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

        var here = await ExchangeAsync(proxy, Plain);
        var server = await ExchangeAsync(proxy, ForServer + Plain);

        Assert.Contains("\r\nset-COOKIE: a=b\r\n", here);
        Assert.DoesNotContain("set-COOKIE", server);
        Assert.Equal(2, server.Split("\r\nSet-Cookie: a=b\r\n").Length - 1);
    }

    [Fact]
    public async Task The_peer_is_let_go_when_the_client_leaves()
    {
        var (came, left) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var backend = await TestBackend.StartAsync("a", async context =>
        {
            context.RequestAborted.UnsafeRegister(static left => ((TaskCompletionSource)left!).SetResult(), left);
            came.SetResult();
            await left.Task;
        });
        await using var proxy = await StartAsync(backend.EndPoint);
        using (var client = new TestClient(proxy.EndPoint))
        {
            var stream = await ConnectAsync(client);
            await stream.WriteAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(), Stop);
            await came.Task.WaitAsync(Stop);
        }

        await left.Task.WaitAsync(Stop);
        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count == 1, "the request was logged", Stop);
        Assert.StartsWith("499 ", proxy.Log.Lines[0]);
    }

    [Fact]
    public async Task A_large_body_comes_whole_and_the_connection_goes_on()
    {
        var body = string.Concat(Enumerable.Range(0, 200_000).Select(static number => number.ToString("x8", CultureInfo.InvariantCulture)));
        await using var backend = await TestBackend.StartAsync("a", context =>
        {
            context.Response.ContentLength = body.Length;
            return context.Response.WriteAsync(body);
        });
        await using var proxy = await StartAsync(backend.EndPoint);
        using var client = new TestClient(proxy.EndPoint);
        var stream = await ConnectAsync(client);

        for (var i = 0; i < 3; i++)
        {
            await stream.WriteAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(), Stop);
            Assert.StartsWith("HTTP/1.1 200 OK\r\n", await RawBackend.ReadHeadAsync(stream, Stop));
            var received = new byte[body.Length];
            await stream.ReadExactlyAsync(received, Stop);
            Assert.Equal(body, Encoding.ASCII.GetString(received));
        }
    }

    [Theory]
    [InlineData("G")]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r")]
    public async Task A_head_in_pieces_is_answered_and_so_is_what_follows(string piece)
    {
        await using var backend = await TestBackend.StartAsync("a", context => context.Response.WriteAsync($"<{context.Request.Path}>"));
        await using var proxy = await StartAsync(backend.EndPoint);
        const string Head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        using var client = new TestClient(proxy.EndPoint);
        var stream = await ConnectAsync(client);

        await stream.WriteAsync(Encoding.ASCII.GetBytes(Head + piece), Stop);
        await RawBackend.ReadHeadAsync(stream, Stop);
        await RawBackend.ReadHeadAsync(stream, Stop); // the chunk and the end; the piece was there when this was answered
        var answers = await TestClient.ExchangeAsync(stream, Head[piece.Length..] + "GET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", Stop);

        Assert.Equal(["/", "/2"], answers.Split('<').Skip(1).Select(static answer => answer[..answer.IndexOf('>')]));
    }

    protected Task<ProxyUnderTest> StartAsync(System.Net.EndPoint peer, TimeProvider? time = null) =>
        ProxyUnderTest.StartAsync([peer], time: time, certificate: isTls ? ProxyUnderTest.MakeCertificate() : null);

    private async Task<Stream> ConnectAsync(TestClient client) => isTls ? await client.ConnectTlsAsync("x", Stop) : await client.ConnectAsync(Stop);

    private async Task<string> ExchangeAsync(ProxyUnderTest proxy, string request)
    {
        using var client = new TestClient(proxy.EndPoint);
        return await TestClient.ExchangeAsync(await ConnectAsync(client), request, Stop);
    }

    /// <summary>Answers with the head that it got, byte for byte.</summary>
    private static RawBackend Echo() => RawBackend.Start(static async (stream, cancellationToken) =>
    {
        while (await RawBackend.ReadHeadAsync(stream, cancellationToken) is { Length: > 0 } head)
        {
            var body = head.StartsWith("HEAD ", StringComparison.Ordinal) ? "" : head;
            await stream.WriteAsync(Encoding.Latin1.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {head.Length}\r\n\r\n{body}"), cancellationToken);
        }
    });

    private static string MakeRequest(Random random)
    {
        string[] fields = [Hosts[random.Next(Hosts.Length)], .. random.GetItems(Fields, random.Next(4))];
        random.Shuffle(fields);
        var (method, target) = (Methods[random.Next(Methods.Length)], Targets[random.Next(Targets.Length)]);
        var version = random.Next(20) == 0 ? "HTTP/1.0" : "HTTP/1.1";
        var line = random.Next(20) == 0 ? "\n" : "\r\n";
        return $"{method} {target} {version}{line}{string.Join(line, fields)}{line}Connection: close{line}{line}";
    }

    private static string MakeResponse(Random random)
    {
        string[] statuses = ["200 OK", "200 Some Reason", "200", "204 No Content", "304 x", "404 Not Found", "500 x", "599 x", "103 x\r\nLink: a\r\n\r\nHTTP/1.1 200 OK"];
        string[] fields = ["X-A: 1", "X-A: 2", "Date: today", "Server: x", "Connection: keep-alive", "Connection: x", "Set-Cookie: a=b", "set-cookie: c", "Keep-Alive: 1", "Via:", "X-\u00e9: \u00e9"];
        var body = new string('b', random.GetItems([0, 1, 15, 16, 255, 256, 4096, 70_000], 1)[0]);
        var chunks = string.Concat(body.Chunk(1 + random.Next(5000)).Select(chunk => $"{chunk.Length:x};e\r\n{new string(chunk)}\r\n"));
        var framed = random.Next(4) switch
        {
            0 => $"Content-Length: {body.Length}\r\n\r\n{body}",
            1 => $"Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n",
            2 => $"Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n{chunks}0\r\nX-T: 1\r\n\r\n",
            _ => $"\r\n{body}",
        };
        var some = string.Concat(random.GetItems(fields, random.Next(4)).Select(field => field + "\r\n"));
        return $"HTTP/1.1 {random.GetItems(statuses, 1)[0]}\r\n{some}{framed}";
    }

    /// <summary>Where chunks begin is nobody's business.</summary>
    private static string InOneChunk(string answer)
    {
        if (!answer.Contains("Transfer-Encoding: chunked", StringComparison.Ordinal)) return answer;

        var at = answer.IndexOf("\r\n\r\n", answer.LastIndexOf("HTTP/1.1 ", StringComparison.Ordinal), StringComparison.Ordinal) + 4;
        var whole = new StringBuilder(answer[..at]);
        while (at < answer.Length)
        {
            var size = answer.IndexOf("\r\n", at, StringComparison.Ordinal);
            var length = int.Parse(answer[at..size], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            if (length == 0) break;
            whole.Append(answer, size + 2, length);
            at = size + 2 + length + 2;
        }

        return whole.Append(answer[at..]).ToString();
    }

    /// <summary>The server orders headers and spells the common ones in its own way.</summary>
    private static string Comparable(string answer) => string.Join('\n', answer.Split("\r\n")
        .Where(line => !line.StartsWith("Date: ", StringComparison.Ordinal))
        .Select(line => line.IndexOf(": ", StringComparison.Ordinal) is > 0 and var colon ? line[..colon].ToUpperInvariant() + line[colon..] : line)
        .OrderBy(line => line.Split(": ")[0], StringComparer.Ordinal));

    private static async Task RequestAsync(Stream stream)
    {
        await stream.WriteAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(), Stop);
        var head = await RawBackend.ReadHeadAsync(stream, Stop);
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", head);
        if (!head.Contains("chunked", StringComparison.Ordinal)) return;

        await RawBackend.ReadHeadAsync(stream, Stop); // one chunk and the end, which is an empty line
    }
}

public sealed class PlainSessionTests() : ClientSessionTests(isTls: false);

public sealed class TlsSessionTests() : ClientSessionTests(isTls: true)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_request_of_many_over_a_connection_ends_without_the_others()
    {
        var (came, goOn) = (new SemaphoreSlim(0), new TaskCompletionSource());
        await using var backend = await TestBackend.StartAsync("a", async context =>
        {
            came.Release();
            await goOn.Task;
            await context.Response.WriteAsync("done");
        });
        await using var proxy = await StartAsync(backend.EndPoint);
        using var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = static (_, _, _, _) => true } };
        using var client = new HttpClient(handler) { BaseAddress = new($"https://{proxy.EndPoint}"), DefaultRequestVersion = new(2, 0), DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var requests = Enumerable.Range(0, 5).Select(number => client.GetStringAsync("/", number == 2 ? leaving.Token : Stop)).ToArray();
        for (var i = 0; i < requests.Length; i++) await came.WaitAsync(Stop);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => requests[2]);
        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count == 1, "the request that was left is over", Stop);
        goOn.SetResult();

        foreach (var request in requests.Where((_, number) => number != 2)) Assert.Equal("done", await request);
    }
}
