using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using StickyIngress.Core.Upstreams;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests;

/// <summary>The same requests through both engines to the same peer: client and peer must see the same.</summary>
public sealed class EngineDifferenceTests
{
    private const int Cases = 80;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, "1.1")]
    [InlineData(2, "1.1")]
    [InlineData(3, "1.1")]
    [InlineData(4, "2.0")]
    [InlineData(5, "2.0")]
    [InlineData(6, "2.0")]
    public async Task Client_and_peer_see_the_same_through_both_engines(int seed, string version)
    {
        var random = new Random(seed);
        Plan[] plans = [.. Enumerable.Range(0, Cases).Select(_ => MakePlan(random, Version.Parse(version)))];
        var views = new ConcurrentDictionary<string, PeerView>();
        await using var backend = RawBackend.Start((stream, cancellationToken) => ServeAsync(stream, views, cancellationToken));
        await using var ours = await StartAsync(backend.EndPoint, PeerEngine.Auto, version);
        await using var yarp = await StartAsync(backend.EndPoint, PeerEngine.Yarp, version);

        for (var i = 0; i < plans.Length; i++)
        {
            var (oursSaw, yarpSaw) = (await AskAsync(ours, plans[i], $"ours-{i}"), await AskAsync(yarp, plans[i], $"yarp-{i}"));

            Assert.True(yarpSaw == oursSaw, $"{plans[i]}\nours: {oursSaw}\nYARP: {yarpSaw}");
        }

        // What the client sees of it, and then the peer, and the log.
        async Task<string> AskAsync(ProxyUnderTest proxy, Plan plan, string id)
        {
            var (view, logged) = (views[id] = new(plan), proxy.Log.Lines.Count);
            var client = await SendAsync(proxy, plan, id, view.Asked.Task);
            var peer = await view.Seen.Task.WaitAsync(TimeSpan.FromSeconds(20), Stop);
            await Eventually.HoldsAsync(() => proxy.Log.Lines.Count > logged, "the request ended", Stop);
            return $"{client}\n{peer.Replace(id, "x").Replace(proxy.EndPoint.ToString(), "x")}\n{proxy.Log.Lines[^1]}";
        }
    }

    private static Task<ProxyUnderTest> StartAsync(IPEndPoint peer, PeerEngine engine, string version) => ProxyUnderTest.StartAsync(
        [peer], ProxyUnderTest.Settings with { Engine = engine }, certificate: version == "2.0" ? ProxyUnderTest.MakeCertificate() : null);

    private static Plan MakePlan(Random random, Version version)
    {
        var (isChunked, framing) = (random.Next(2) == 0, random.Next(3));
        return new(
            version,
            random.GetItems(["GET", "POST", "PUT", "PATCH", "HEAD", "DELETE"], 1)[0],
            Size(100_000, orNone: !isChunked),
            isChunked,
            random.GetItems([200, 201, 204, 304, 404, 500], 1)[0],
            Size(200_000, orNone: framing == 0),
            framing,
            1 + random.Next(random.Next(2) == 0 ? 20 : 50_000),
            random.Next(3) == 0,
            random.GetItems([.. Enumerable.Repeat(Break.None, 5), .. Enum.GetValues<Break>()], 1)[0]);

        // Where no length is told, and there is no byte, it is luck whether the end is known with the head.
        int Size(int most, bool orNone) => (orNone ? 0 : 1) + random.Next(random.Next(3) == 0 ? most : 200);
    }

    /// <summary>What the client sees of it: status, headers, trailers, and the body or how far it came.</summary>
    private static async Task<string> SendAsync(ProxyUnderTest proxy, Plan plan, string id, Task asked)
    {
        using var request = new HttpRequestMessage(new(plan.Method), $"/{plan.Status}?a=%20b") { Version = plan.Version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.Add("X-Case", id);
        request.Headers.Add("Cookie", "a=1; b=2");
        if (plan.HasRequestBody) request.Content = new RequestContent(plan, asked);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(TimeSpan.FromSeconds(20));

        // Only ours has trailers for clients of HTTP/1.1.
        var trailersPass = plan.Version.Major == 2;
        try
        {
            using var response = await proxy.Client.SendAsync(request, plan.LeavesInResponse ? HttpCompletionOption.ResponseHeadersRead : HttpCompletionOption.ResponseContentRead, limit.Token);
            var headers = Lines(response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated).Where(header => header.Key != "Date" && (trailersPass || header.Key != "Trailer")));
            var body = plan.LeavesInResponse ? "left" : Hash(await response.Content.ReadAsByteArrayAsync(Stop));
            var trailers = trailersPass ? Lines(response.TrailingHeaders.NonValidated) : "";
            return $"{(int)response.StatusCode} {response.ReasonPhrase}\n{headers}\n{body}\n{trailers}";
        }
        catch (HttpRequestException)
        {
            return "cut";
        }
        catch (OperationCanceledException) when (!Stop.IsCancellationRequested)
        {
            return "never ends";
        }

        static string Lines(IEnumerable<KeyValuePair<string, HeaderStringValues>> headers) =>
            string.Join('\n', headers.Select(header => $"{header.Key}: {header.Value}").Order(StringComparer.Ordinal));
    }

    private static async Task ServeAsync(Stream stream, ConcurrentDictionary<string, PeerView> views, CancellationToken cancellationToken)
    {
        while (await RawBackend.ReadHeadAsync(stream, cancellationToken) is { Length: > 0 } head)
        {
            var lines = head.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
            string? Header(string name) => lines.FirstOrDefault(line => line.StartsWith($"{name}: ", StringComparison.OrdinalIgnoreCase))?[(name.Length + 2)..];
            var view = views[Header("X-Case")!];
            var plan = view.Plan;
            var sawHead = $"{lines[0]}\n{string.Join('\n', lines[1..].Order(StringComparer.OrdinalIgnoreCase))}";
            view.Asked.SetResult();
            byte[] body;
            try
            {
                body = Header("Transfer-Encoding") is not null
                    ? await ReadChunksAsync(stream, cancellationToken)
                    : await ReadAsync(stream, int.Parse(Header("Content-Length") ?? "0", CultureInfo.InvariantCulture), cancellationToken);
            }
            catch (IOException)
            {
                view.Seen.SetResult($"{sawHead}\ncut");
                return;
            }

            var goesOn = false;
            try
            {
                goesOn = await AnswerAsync(stream, plan, cancellationToken);
                if (plan.LeavesInResponse) await stream.CopyToAsync(Stream.Null, cancellationToken);
            }
            catch (IOException) when (plan.LeavesInResponse)
            {
                // A reset, or an end before all was written, is an end too.
            }

            view.Seen.SetResult($"{sawHead}\n{Hash(body)}");
            if (!goesOn) return;
        }
    }

    /// <summary>False: the connection ends here.</summary>
    private static async Task<bool> AnswerAsync(Stream stream, Plan plan, CancellationToken cancellationToken)
    {
        var body = plan.HasResponseBody ? Bytes(plan.ResponseSize) : [];
        var bytes = new MemoryStream();
        var framing = plan.Framing switch { 0 => $"Content-Length: {plan.ResponseSize}\r\n", 1 => $"Transfer-Encoding: chunked\r\n{(plan.HasTrailers ? "Trailer: X-Sum\r\n" : "")}", _ => "" };
        if (plan.Status is 204 or 304) framing = "";
        bytes.Write(Encoding.ASCII.GetBytes($"HTTP/1.1 {plan.Status} Some Reason\r\nX-A: 1\r\nX-A: 2\r\nSet-Cookie: s=1\r\nContent-Type: text/x\r\n{framing}\r\n"));
        if (plan.Framing == 1 && plan.HasResponseBody)
        {
            for (var at = 0; at < body.Length; at += plan.Piece)
            {
                var count = Math.Min(plan.Piece, body.Length - at);
                bytes.Write([.. Encoding.ASCII.GetBytes($"{count:X};e\r\n"), .. body.AsSpan(at, count), .. "\r\n"u8]);
            }

            bytes.Write(Encoding.ASCII.GetBytes($"0\r\n{(plan.HasTrailers ? "X-Sum: 42\r\nX-Other: a\r\n" : "")}\r\n"));
        }
        else
        {
            bytes.Write(body);
        }

        var all = bytes.ToArray();
        var cut = plan.LeavesInResponse || plan is { Break: Break.PeerInResponse, HasResponseBody: true, Framing: < 2 } && body.Length > 0;
        var size = cut ? all.Length - 1 : all.Length;
        for (var at = 0; at < size; at += 30_000) await stream.WriteAsync(all.AsMemory(at, Math.Min(30_000, size - at)), cancellationToken);
        return !cut && (plan.Framing < 2 || !plan.HasResponseBody);
    }

    private static async Task<byte[]> ReadAsync(Stream stream, int count, CancellationToken cancellationToken)
    {
        var body = new byte[count];
        await stream.ReadExactlyAsync(body, cancellationToken);
        return body;
    }

    private static async Task<byte[]> ReadChunksAsync(Stream stream, CancellationToken cancellationToken)
    {
        var body = new MemoryStream();
        while (true)
        {
            var line = new StringBuilder();
            while (!line.ToString().EndsWith("\r\n", StringComparison.Ordinal)) line.Append((char)(await ReadAsync(stream, 1, cancellationToken))[0]);
            var size = int.Parse(line.ToString().Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            body.Write((await ReadAsync(stream, size + 2, cancellationToken)).AsSpan(0, size));
            if (size == 0) return body.ToArray();
        }
    }

    private static byte[] Bytes(int count) => [.. Enumerable.Range(0, count).Select(i => (byte)(i * 7))];

    private static string Hash(byte[] bytes) => $"{bytes.Length} {Convert.ToHexString(SHA256.HashData(bytes))[..8]}";

    /// <summary>Who breaks it off, if anybody.</summary>
    private enum Break
    {
        None,

        /// <summary>The connection ends before the last byte.</summary>
        PeerInResponse,

        /// <summary>When the peer has got the head.</summary>
        ClientInRequest,

        /// <summary>When the client has got the head; the peer waits with the last byte until its connection ends.</summary>
        ClientInResponse,
    }

    /// <param name="Framing">0: Content-Length, 1: chunked, 2: to the end of the connection.</param>
    /// <param name="Piece">Bytes in a chunk.</param>
    private sealed record Plan(
        Version Version, string Method, int RequestSize, bool RequestIsChunked, int Status, int ResponseSize, int Framing, int Piece, bool HasTrailers, Break Break)
    {
        public bool HasRequestBody => Method is "POST" or "PUT" or "PATCH";

        public bool HasResponseBody => Method != "HEAD" && Status is not (204 or 304);

        public bool LeavesInRequest => Break == Break.ClientInRequest && HasRequestBody && RequestSize > 0;

        public bool LeavesInResponse => Break == Break.ClientInResponse && HasResponseBody && ResponseSize > 0;
    }

    /// <summary>What the peer sees of a request.</summary>
    private sealed class PeerView(Plan plan)
    {
        public Plan Plan => plan;

        /// <summary>Its head.</summary>
        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>All of it, or where it was cut.</summary>
        public TaskCompletionSource<string> Seen { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>The body as planned; where the client leaves meanwhile, a byte less and then an error.</summary>
    private sealed class RequestContent(Plan plan, Task asked) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            var body = Bytes(plan.RequestSize);
            if (!plan.LeavesInRequest)
            {
                await stream.WriteAsync(body, Stop);
                return;
            }

            await stream.WriteAsync(body.AsMemory(0, Math.Max(0, body.Length - 1)), Stop);
            await stream.FlushAsync(Stop);
            await asked.WaitAsync(TimeSpan.FromSeconds(20), Stop);
            throw new IOException("the client leaves");
        }

        protected override bool TryComputeLength(out long length)
        {
            length = plan.RequestSize;
            return !plan.RequestIsChunked;
        }
    }
}
