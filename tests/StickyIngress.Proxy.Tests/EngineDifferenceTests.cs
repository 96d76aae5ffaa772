using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
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
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Client_and_peer_see_the_same_through_both_engines(int seed)
    {
        var plans = Plans(new Random(seed));
        var seen = new ConcurrentDictionary<string, string>();
        await using var backend = RawBackend.Start((stream, cancellationToken) => ServeAsync(stream, plans, seen, cancellationToken));
        await using var ours = await StartAsync(backend.EndPoint, PeerEngine.Auto);
        await using var yarp = await StartAsync(backend.EndPoint, PeerEngine.Yarp);

        for (var i = 0; i < plans.Length; i++)
        {
            var (oursSaw, yarpSaw) = (await SendAsync(ours, plans[i], $"ours-{i}"), await SendAsync(yarp, plans[i], $"yarp-{i}"));

            Assert.True(yarpSaw == oursSaw, $"{plans[i]}\nours: {oursSaw}\nYARP: {yarpSaw}");
            Assert.Equal(Plain(seen[$"yarp-{i}"]), Plain(seen[$"ours-{i}"]));
        }

        string Plain(string text) => text.Replace("ours-", "").Replace("yarp-", "").Replace(ours.EndPoint.ToString(), "x").Replace(yarp.EndPoint.ToString(), "x");
    }

    private static Task<ProxyUnderTest> StartAsync(IPEndPoint peer, PeerEngine engine) =>
        ProxyUnderTest.StartAsync([peer], ProxyUnderTest.Settings with { Engine = engine });

    private static Plan[] Plans(Random random) =>
    [
        .. Enumerable.Range(0, Cases).Select(_ => new Plan(
            random.GetItems(["GET", "POST", "PUT", "HEAD", "DELETE"], 1)[0],
            random.Next(3) == 0 ? random.Next(100_000) : random.Next(200),
            random.Next(2) == 0,
            random.GetItems([200, 201, 204, 304, 404, 500], 1)[0],
            random.Next(3) == 0 ? random.Next(200_000) : random.Next(200),
            random.Next(3),
            1 + random.Next(random.Next(2) == 0 ? 20 : 50_000),
            random.Next(8) == 0)),
    ];

    /// <summary>What the client sees of it: status, headers, and the body or how far it came.</summary>
    private static async Task<string> SendAsync(ProxyUnderTest proxy, Plan plan, string id)
    {
        using var request = new HttpRequestMessage(new(plan.Method), $"/{plan.Status}?a=%20b");
        request.Headers.Add("X-Case", id);
        request.Headers.Add("Cookie", "a=1; b=2");
        if (plan.HasRequestBody)
        {
            request.Content = new StreamContent(new MemoryStream(Bytes(plan.RequestSize)));
            if (plan.RequestIsChunked) request.Headers.TransferEncodingChunked = true;
        }

        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
            limit.CancelAfter(TimeSpan.FromSeconds(20));
            using var response = await proxy.Client.SendAsync(request, limit.Token);
            var headers = response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated).Where(header => header.Key != "Date")
                .Select(header => $"{header.Key}: {header.Value}").Order(StringComparer.Ordinal);
            return $"{(int)response.StatusCode} {response.ReasonPhrase}\n{string.Join('\n', headers)}\n{Hash(await response.Content.ReadAsByteArrayAsync(Stop))}";
        }
        catch (HttpRequestException)
        {
            return "cut";
        }
        catch (OperationCanceledException) when (!Stop.IsCancellationRequested)
        {
            return "never ends";
        }
    }

    private static async Task ServeAsync(Stream stream, Plan[] plans, ConcurrentDictionary<string, string> seen, CancellationToken cancellationToken)
    {
        while (await RawBackend.ReadHeadAsync(stream, cancellationToken) is { Length: > 0 } head)
        {
            var lines = head.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
            string? Header(string name) => lines.FirstOrDefault(line => line.StartsWith($"{name}: ", StringComparison.OrdinalIgnoreCase))?[(name.Length + 2)..];
            var body = Header("Transfer-Encoding") is not null
                ? await ReadChunksAsync(stream, cancellationToken)
                : await ReadAsync(stream, int.Parse(Header("Content-Length") ?? "0", CultureInfo.InvariantCulture), cancellationToken);
            var id = Header("X-Case")!;
            seen[id] = $"{lines[0]}\n{string.Join('\n', lines[1..].Order(StringComparer.OrdinalIgnoreCase))}\n{Hash(body)}";
            if (!await AnswerAsync(stream, plans[int.Parse(id.Split('-')[1], CultureInfo.InvariantCulture)], cancellationToken)) return;
        }
    }

    /// <summary>False: the connection ends here.</summary>
    private static async Task<bool> AnswerAsync(Stream stream, Plan plan, CancellationToken cancellationToken)
    {
        var body = plan.HasResponseBody ? Bytes(plan.ResponseSize) : [];
        var bytes = new MemoryStream();
        var framing = plan.Framing switch { 0 => $"Content-Length: {plan.ResponseSize}\r\n", 1 => "Transfer-Encoding: chunked\r\n", _ => "" };
        if (plan.Status is 204 or 304) framing = "";
        bytes.Write(Encoding.ASCII.GetBytes($"HTTP/1.1 {plan.Status} Some Reason\r\nX-A: 1\r\nX-A: 2\r\nSet-Cookie: s=1\r\nContent-Type: text/x\r\n{framing}\r\n"));
        if (plan.Framing == 1 && plan.HasResponseBody)
        {
            for (var at = 0; at < body.Length; at += plan.Piece)
            {
                var count = Math.Min(plan.Piece, body.Length - at);
                bytes.Write([.. Encoding.ASCII.GetBytes($"{count:X};e\r\n"), .. body.AsSpan(at, count), .. "\r\n"u8]);
            }

            bytes.Write("0\r\n\r\n"u8);
        }
        else
        {
            bytes.Write(body);
        }

        var all = bytes.ToArray();
        var cut = plan.IsCut && plan.HasResponseBody && plan.Framing < 2 && body.Length > 0;
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

    /// <param name="Framing">0: Content-Length, 1: chunked, 2: to the end of the connection.</param>
    /// <param name="Piece">Bytes in a chunk.</param>
    /// <param name="IsCut">The connection ends before the last byte.</param>
    private sealed record Plan(
        string Method, int RequestSize, bool RequestIsChunked, int Status, int ResponseSize, int Framing, int Piece, bool IsCut)
    {
        public bool HasRequestBody => Method is "POST" or "PUT";

        public bool HasResponseBody => Method != "HEAD" && Status is not (204 or 304);
    }
}
