using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using StickyIngress.Core;
using StickyIngress.Core.Upstreams;
using StickyIngress.Proxy.Forwarding.Http1;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests.Http1;

/// <summary>What our own connections to peers do that YARP's do not, or do otherwise.</summary>
public sealed class Http1ForwarderTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok")]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok")]
    [InlineData("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n")]
    public async Task A_malformed_response_is_not_passed_on_and_counts_against_the_peer(string response)
    {
        await using var backend = RawBackend.Start(async (stream, cancellationToken) =>
        {
            await RawBackend.ReadHeadAsync(stream, cancellationToken);
            await stream.WriteAsync(Encoding.Latin1.GetBytes(response), cancellationToken);
            await Task.Delay(Timeout.Infinite, cancellationToken);
        });
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);

        for (var i = 0; i < 2; i++)
        {
            using var answer = await proxy.Client.GetAsync("/", Stop);
            Assert.Equal((HttpStatusCode.BadGateway, "502 Bad Gateway\n"), (answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop)));
        }

        Assert.Equal(2, backend.Connections);
        Assert.Equal(2, await proxy.MetricAsync($"stickyingress_peer_failures_total{{namespace=\"test\",upstream=\"u\",peer=\"{backend.Address}\",reason=\"invalid_header\"}}"));
    }

    [Fact]
    public async Task A_response_that_comes_before_the_request_has_ended_is_passed_on_at_once()
    {
        await using var backend = RawBackend.Start(async (stream, cancellationToken) =>
        {
            await RawBackend.ReadHeadAsync(stream, cancellationToken);
            await stream.WriteAsync("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"u8.ToArray(), cancellationToken);
            await Task.Delay(Timeout.Infinite, cancellationToken);
        });
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);
        using var client = new TestClient(proxy.EndPoint);
        var stream = await client.ConnectAsync(Stop);

        await stream.WriteAsync("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nonly a part"u8.ToArray(), Stop);
        var head = await RawBackend.ReadHeadAsync(stream, Stop);

        Assert.StartsWith("HTTP/1.1 403 ", head);
        await Eventually.HoldsAsync(() => proxy.Upstream.Primaries.Peers[0].State is { Conns: 0, IdleConnections: 0 }, "the connection was closed", Stop);
    }

    [Theory]
    [InlineData("Content-Length: 100\r\n\r\nwhat came", "what came")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n9\r\nwhat came\r\n5\r\nno", "what came\r\n2\r\nno\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n9\r\nwhat came\r\nbad\n", "what came\r\n")]
    public async Task A_body_that_breaks_off_reaches_the_client_as_far_as_it_came(string response, string end)
    {
        await using var backend = RawBackend.Sending($"HTTP/1.1 200 OK\r\n{response}");
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);

        var answer = await TestClient.ExchangeAsync(proxy.EndPoint, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", Stop);

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer);
        Assert.EndsWith(end, answer);
        Assert.DoesNotContain("0\r\n\r\n", answer);
    }

    [Fact]
    public async Task A_response_without_a_length_ends_with_its_connection()
    {
        await using var backend = RawBackend.Sending("HTTP/1.1 200 OK\r\n\r\nall of it");
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);

        Assert.Equal("all of it", await proxy.Client.GetStringAsync("/", Stop));
    }

    [Fact]
    public async Task Chunks_and_trailers_of_a_request_are_sent_as_they_come()
    {
        var seen = new StringBuilder();
        var first = new TaskCompletionSource();
        await using var backend = RawBackend.Start(async (stream, cancellationToken) =>
        {
            await RawBackend.ReadHeadAsync(stream, cancellationToken);
            var buffer = new byte[1000];
            while (!seen.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
            {
                seen.Append(Encoding.ASCII.GetString(buffer, 0, await stream.ReadAsync(buffer, cancellationToken)));
                first.TrySetResult();
            }

            await stream.WriteAsync("HTTP/1.1 204 No Content\r\n\r\n"u8.ToArray(), cancellationToken);
        });
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);
        using var client = new TestClient(proxy.EndPoint);
        var stream = await client.ConnectAsync(Stop);

        await stream.WriteAsync("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"u8.ToArray(), Stop);
        await first.Task.WaitAsync(Stop);
        await stream.WriteAsync("6\r\nsecond\r\n0\r\nX-Sum: 1\r\nContent-Length: 3\r\n\r\n"u8.ToArray(), Stop);
        await RawBackend.ReadHeadAsync(stream, Stop);

        Assert.Equal("5\r\nfirst\r\n6\r\nsecond\r\n0\r\nX-Sum: 1\r\n\r\n", seen.ToString());
    }

    [Fact]
    public async Task An_upgrade_carries_bytes_both_ways_until_the_peer_ends()
    {
        await using var backend = RawBackend.Start(async (stream, cancellationToken) =>
        {
            var head = await RawBackend.ReadHeadAsync(stream, cancellationToken);
            Assert.Contains("Connection: Upgrade\r\nUpgrade: echo\r\n", head);
            await stream.WriteAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly "u8.ToArray(), cancellationToken);
            var buffer = new byte[5];
            await stream.ReadExactlyAsync(buffer, cancellationToken);
            await stream.WriteAsync(buffer, cancellationToken);
        });
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);
        using var client = new TestClient(proxy.EndPoint);
        var stream = await client.ConnectAsync(Stop);

        await stream.WriteAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"u8.ToArray(), Stop);
        var head = await RawBackend.ReadHeadAsync(stream, Stop);
        await stream.WriteAsync("hello"u8.ToArray(), Stop);

        Assert.Contains("Upgrade: echo\r\n", head);
        Assert.Equal("early hello", await new StreamReader(stream).ReadToEndAsync(Stop));
        await Eventually.HoldsAsync(() => proxy.Upstream.Primaries.Peers[0].State is { Conns: 0, IdleConnections: 0 }, "nothing is left", Stop);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_an_upgrade_a_client_may_send_no_more_and_get_all_the_rest(bool isTls)
    {
        await using var backend = RawBackend.Start(async (stream, cancellationToken) =>
        {
            await RawBackend.ReadHeadAsync(stream, cancellationToken);
            await stream.WriteAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: count\r\n\r\n"u8.ToArray(), cancellationToken);
            using var all = new MemoryStream();
            await stream.CopyToAsync(all, cancellationToken);
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"{all.Length} bytes"), cancellationToken);
        });
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint], certificate: isTls ? ProxyUnderTest.MakeCertificate() : null);
        using var client = new TestClient(proxy.EndPoint);
        Stream stream = isTls ? await client.ConnectTlsAsync("x", Stop) : await client.ConnectAsync(Stop);
        await stream.WriteAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: count\r\n\r\n"u8.ToArray(), Stop);
        await RawBackend.ReadHeadAsync(stream, Stop);

        await stream.WriteAsync(new byte[300_000], Stop);
        if (stream is SslStream encrypted) await encrypted.ShutdownAsync();
        client.EndSending();

        Assert.Equal("300000 bytes", await new StreamReader(stream).ReadToEndAsync(Stop));
        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count == 1, "the request ended", Stop);
        Assert.Equal($"101 [{backend.Address}] [101]", proxy.Log.Lines[0]);
        proxy.AssertNothingHeld();
    }

    [Theory]
    [InlineData(true, true, 200)]
    [InlineData(true, false, 502)]
    [InlineData(false, false, 200)]
    public async Task A_tls_peer_is_verified_against_its_authorities_and_its_connection_kept(bool verify, bool trusted, int status)
    {
        using var key = ECDsa.Create();
        var request = new CertificateRequest("CN=peer.test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("peer.test");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using var backend = RawBackend.Start(async (stream, cancellationToken) =>
        {
            await using var tls = new SslStream(stream);
            try
            {
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, cancellationToken);
            }
            catch (AuthenticationException)
            {
                return;
            }

            while ((await RawBackend.ReadHeadAsync(tls, cancellationToken)).Length > 0)
                await tls.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nX-Name: {tls.TargetHostName}\r\nContent-Length: 0\r\n\r\n"), cancellationToken);
        });
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint], ProxyUnderTest.Settings with
        {
            Protocol = PeerProtocol.Https,
            Tls = new(TestTemplates.Parse("peer.test"), verify, trusted ? certificate.ExportCertificatePem() : null, null, null),
        });

        for (var i = 0; i < 2; i++)
        {
            using var answer = await proxy.Client.GetAsync("/", Stop);
            Assert.Equal(status, (int)answer.StatusCode);
            if (status == 200) Assert.Equal("peer.test", answer.Headers.GetValues("X-Name").Single());
        }

        Assert.Equal(status == 200 ? 1 : 2, backend.Connections);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, false)]
    [InlineData(SslProtocols.Tls13, false)]
    [InlineData(SslProtocols.Tls12, true)]
    [InlineData(SslProtocols.Tls13, true)]
    public async Task A_tls_session_is_resumed_by_the_next_connection(SslProtocols version, bool showsCertificate)
    {
        using var key = ECDsa.Create();
        var names = new SubjectAlternativeNameBuilder();
        for (var i = 0; i < 100; i++) names.AddDnsName($"with-a-long-certificate-{i}.test");
        var request = new CertificateRequest("CN=peer.test", key, HashAlgorithmName.SHA256) { CertificateExtensions = { names.Build() } };
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var ours = new CertificateRequest("CN=client.test", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true),
            EnabledSslProtocols = version,
            ClientCertificateRequired = showsCertificate,
            RemoteCertificateValidationCallback = static (_, _, _, _) => true,
        };

        // Hands are shaken without a certificate where a session is resumed, which is most of what a server says.
        await using var backend = RawBackend.Start(async (stream, cancellationToken) =>
        {
            await using var counting = new CountingStream(stream.Socket);
            await using var tls = new SslStream(counting);
            await tls.AuthenticateAsServerAsync(options, cancellationToken);
            var said = counting.Written;
            await RawBackend.ReadHeadAsync(tls, cancellationToken);
            await tls.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Said: {said}\r\nX-Seen: {tls.RemoteCertificate?.Subject}\r\nConnection: close\r\n\r\n"), cancellationToken);
        });
        await using var proxy = await ProxyUnderTest.StartAsync(
            [backend.EndPoint], ProxyUnderTest.Settings with { Protocol = PeerProtocol.Https, Tls = new(TestTemplates.Parse("peer.test"), false, null, showsCertificate ? ours.ExportCertificatePem() : null, key.ExportPkcs8PrivateKeyPem()) });

        var said = new List<int>();
        for (var i = 0; i < 3; i++)
        {
            using var answer = await proxy.Client.GetAsync("/", Stop);
            said.Add(int.Parse(answer.Headers.GetValues("X-Said").Single(), CultureInfo.InvariantCulture));
            Assert.Equal(showsCertificate ? "CN=client.test" : "", answer.Headers.GetValues("X-Seen").Single());
        }

        Assert.Equal(3, backend.Connections);
        Assert.All(said[1..], bytes => Assert.InRange(bytes, 1, said[0] / 2));
    }

    [Theory]
    [InlineData("resets", 502)]
    [InlineData("ends without a word", 502)]
    [InlineData("keeps silent", 504)]
    [InlineData("talks no TLS any more", 502)]
    public async Task A_tls_peer_that_breaks_while_its_response_is_awaited_is_a_failed_try(string deed, int status)
    {
        using var key = ECDsa.Create();
        using var certificate = new CertificateRequest("CN=peer.test", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using var backend = RawBackend.Start(async (stream, cancellationToken) =>
        {
            await using var tls = new SslStream(stream, leaveInnerStreamOpen: true);
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, cancellationToken);
            await RawBackend.ReadHeadAsync(tls, cancellationToken);
            if (deed == "keeps silent") await RawBackend.ReadHeadAsync(tls, cancellationToken);
            if (deed == "talks no TLS any more") await stream.WriteAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray(), cancellationToken);
            if (deed == "resets") stream.Socket.Close(0);
        });
        await using var proxy = await ProxyUnderTest.StartAsync(
            [backend.EndPoint, backend.EndPoint],
            ProxyUnderTest.Settings with { Protocol = PeerProtocol.Https, ReadTimeout = TimeSpan.FromMilliseconds(200), Tls = new(TestTemplates.Parse("peer.test"), false, null, null, null) });

        using var answer = await proxy.Client.GetAsync("/", Stop);

        Assert.Equal(status, (int)answer.StatusCode);
        await Eventually.HoldsAsync(() => proxy.Log.Lines.Count == 1, "the request ended", Stop);
        Assert.Equal($"{status} [{backend.Address}, {backend.Address}] [{status}, {status}]", proxy.Log.Lines.Single());
        Assert.All(proxy.Upstream.Primaries.Peers.ToArray(), peer => Assert.Equal(1, peer.State.Fails));
        proxy.AssertNothingHeld();
    }

    [Theory]
    [InlineData("NTLM", true, "401 200 200", 1)]
    [InlineData("Negotiate", true, "401 200 200", 1)]
    [InlineData("NTLM", false, "401 401 401", 2)]
    [InlineData("Basic", true, "401 401 401", 2)]
    public async Task Ntlm_ties_the_peer_connection_to_the_client_connection(string scheme, bool ntlm, string statuses, int connections)
    {
        await using var a = AuthenticatingBackend();
        await using var b = AuthenticatingBackend();
        await using var proxy = await ProxyUnderTest.StartAsync(
            [a.EndPoint, b.EndPoint], ProxyUnderTest.Settings with { Keepalive = new(32, 1000, TimeSpan.FromHours(1), TimeSpan.FromMinutes(1), ntlm) });
        var seen = new List<string>();
        using (var client = new TestClient(proxy.EndPoint))
        {
            var stream = await client.ConnectAsync(Stop);
            foreach (var authorization in new[] { $"Authorization: {scheme} one\r\n", $"Authorization: {scheme} two\r\n", "" })
            {
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: x\r\n{authorization}\r\n"), Stop);
                seen.Add((await RawBackend.ReadHeadAsync(stream, Stop)).Split(' ')[1]);
            }

            // Somebody else is not let in by the first one's authentication.
            using var other = await proxy.Client.GetAsync("/", Stop);
            Assert.Equal(HttpStatusCode.Unauthorized, other.StatusCode);
        }

        Assert.Equal(statuses, string.Join(' ', seen));
        await Eventually.HoldsAsync(
            () => !ntlm || proxy.Upstream.Peers.Sum(peer => peer.State.IdleConnections) == connections, "the tied connection ended with its client", Stop);
    }

    [Fact]
    public async Task A_hundred_thousand_peers_that_come_and_go_leave_nothing()
    {
        // A unix socket, since closed TCP connections would use up the ports.
        var path = Path.Combine(Path.GetTempPath(), $"sticky-{Guid.NewGuid():N}.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        var clock = new Clock(TimeProvider.System);
        using var pools = new ConnectionPools(TimeProvider.System, clock);
        var keepalive = ProxyUnderTest.Settings.Keepalive;
        var last = new WeakReference(null);

        for (var i = 0; i < 100_000; i++) await ComeAndGoAsync(pools, clock, keepalive, listener, i, last);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.Equal(0, pools.OpenConnections);
        Assert.False(last.IsAlive);
        File.Delete(path);
    }

    private static async Task ComeAndGoAsync(
        ConnectionPools pools, Clock clock, KeepaliveSettings keepalive, Socket listener, int number, WeakReference last)
    {
        var state = new UpstreamState(new("test", $"u{number}"));
        var peer = ProxyUnderTest.MakePeer(listener.LocalEndPoint!, state, 0);
        var group = new PeerGroup([peer], backup: false, single: true);
        var upstream = new Upstream { Name = state.Name, State = state, Primaries = group, Balancer = new Core.Balancing.RoundRobinBalancer(group, PeerGroup.Empty) };
        var connection = new PeerConnection(new(peer.Name, null, ""), peer, clock, pools.Watch);
        await connection.ConnectAsync(peer.EndPoint, 0);
        using var accepted = await listener.AcceptAsync(Stop);
        pools.Of(state).Keep(connection, keepalive);
        Assert.Equal(1, pools.Of(state).Count);
        pools.Forget(upstream, null);
        last.Target = state;
    }

    /// <summary>Takes the second request of a connection for the proof, and knows the connection from then on.</summary>
    private static RawBackend AuthenticatingBackend() => RawBackend.Start(async (stream, cancellationToken) =>
    {
        var steps = 0;
        while (await RawBackend.ReadHeadAsync(stream, cancellationToken) is { Length: > 0 } head)
        {
            if (steps == 1 && head.Contains(" two\r\n", StringComparison.Ordinal)) steps = 2;
            if (steps == 0 && head.Contains(" one\r\n", StringComparison.Ordinal)) steps = 1;
            var status = steps == 2 ? "200 OK" : "401 Unauthorized";
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"), cancellationToken);
        }
    });

    /// <summary>Counts what is written.</summary>
    private sealed class CountingStream(Socket socket) : NetworkStream(socket)
    {
        public int Written { get; private set; }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Written += buffer.Length;
            return base.WriteAsync(buffer, cancellationToken);
        }
    }
}
