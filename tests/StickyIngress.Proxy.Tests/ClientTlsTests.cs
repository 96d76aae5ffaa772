using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using StickyIngress.Core;
using StickyIngress.Core.Routing;
using StickyIngress.Proxy.Clients;

namespace StickyIngress.Proxy.Tests;

/// <summary>Which certificate a client is shown, and what is agreed on.</summary>
public sealed class ClientTlsTests : IAsyncLifetime
{
    private readonly SnapshotHolder _snapshots = new();
    private WebApplication _app = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        var tls = new ClientTls(_snapshots);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration()
            .ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, tls.Use));
        _app = builder.Build();
        _app.Run(context => context.Response.WriteAsync(context.Request.Protocol));
        await _app.StartAsync();
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Theory]
    [InlineData("shop.example.com", "exact")]
    [InlineData("SHOP.example.com", "exact")]
    [InlineData("other.example.com", "wildcard")]
    [InlineData("deep.other.example.com", "default")]
    [InlineData("elsewhere.test", "default")]
    [InlineData("", "default")]
    public async Task The_name_that_is_asked_for_chooses_the_certificate(string name, string expected)
    {
        Publish(new(
            [new("shop.example.com", Certificate("exact"))], [new("example.com", Certificate("wildcard"))], Certificate("default")));

        using var tls = await HandshakeAsync(name);

        Assert.Equal($"CN={expected}", tls.RemoteCertificate!.Subject);
    }

    [Fact]
    public async Task Without_a_certificate_the_handshake_fails()
    {
        Publish(CertificateTable.Empty);

        await Assert.ThrowsAnyAsync<Exception>(() => HandshakeAsync("shop.example.com"));
    }

    [Fact]
    public async Task A_new_certificate_is_for_new_connections_and_drops_none()
    {
        Publish(new([], [], Certificate("first")));
        using var before = await HandshakeAsync("x");

        Publish(new([], [], Certificate("second")));
        using var after = await HandshakeAsync("x");

        Assert.Equal("CN=second", after.RemoteCertificate!.Subject);
        await before.WriteAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8.ToArray(), Stop);
        Assert.EndsWith("HTTP/1.1\r\n0\r\n\r\n", await new StreamReader(before).ReadToEndAsync(Stop));
    }

    [Fact]
    public async Task Http2_is_agreed_on_by_alpn()
    {
        Publish(new([], [], Certificate("x")));

        using var tls = await HandshakeAsync("x", SslApplicationProtocol.Http2, SslApplicationProtocol.Http11);

        Assert.Equal(SslApplicationProtocol.Http2, tls.NegotiatedApplicationProtocol);
    }

    [Fact]
    public async Task The_chain_up_to_the_root_is_sent()
    {
        var (root, rootKey) = Authority("root", null, null);
        var (between, betweenKey) = Authority("between", root, rootKey);
        using var key = ECDsa.Create();
        using var leaf = new CertificateRequest("CN=leaf", key, HashAlgorithmName.SHA256)
            .Create(between.SubjectName, X509SignatureGenerator.CreateForECDsa(betweenKey), DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1), [1]);
        var pem = $"{leaf.ExportCertificatePem()}\n{between.ExportCertificatePem()}\n";
        Publish(new([], [], new("ns", "s", pem, key.ExportPkcs8PrivateKeyPem(), new DateTimeOffset(leaf.NotAfter))));

        var seen = new List<string>();
        using var tls = await HandshakeAsync("x", (_, _, chain, _) =>
        {
            seen.AddRange(chain!.ChainPolicy.ExtraStore.Select(certificate => certificate.Subject));
            return true;
        });

        Assert.Contains("CN=between", seen);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Versions_from_1_2_on_are_spoken(SslProtocols version)
    {
        Publish(new([], [], Certificate("x")));

        using var tls = await HandshakeAsync("x", (_, _, _, _) => true, version);

        Assert.Equal(version, tls.SslProtocol);
    }

    // By a hello on the wire: the client of this machine may not be able to speak them at all.
    [Theory]
    [InlineData(1, "TLS 1.0")]
    [InlineData(2, "TLS 1.1")]
    public async Task Older_versions_are_refused(byte minor, string name)
    {
        Publish(new([], [], Certificate("x")));
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(_app.Urls.First()).Port, Stop);

        await client.GetStream().WriteAsync(Hello(minor), Stop);
        var answer = new byte[7];
        await client.GetStream().ReadExactlyAsync(answer, Stop);

        // An alert record: fatal, protocol_version.
        Assert.True(answer is [21, 3, _, 0, 2, 2, 70], $"{name} is answered {Convert.ToHexString(answer)}");
    }

    [Fact]
    public async Task The_same_hello_with_version_1_2_is_answered()
    {
        Publish(new([], [], Certificate("x")));
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(_app.Urls.First()).Port, Stop);

        await client.GetStream().WriteAsync(Hello(3), Stop);
        var answer = new byte[6];
        await client.GetStream().ReadExactlyAsync(answer, Stop);

        // A handshake record with a server hello.
        Assert.True(answer is [22, 3, 3, _, _, 2], Convert.ToHexString(answer));
    }

    /// <summary>A client hello of version 3.minor, with cipher suites for an ECDSA certificate that each version may have, and the curves that it may be of.</summary>
    private static byte[] Hello(byte minor)
    {
        byte[] extensions = [0, 10, 0, 8, 0, 6, 0, 23, 0, 24, 0, 25, 0, 11, 0, 2, 1, 0, 0, 13, 0, 4, 0, 2, 4, 3];
        byte[] body =
        [
            3, minor, .. new byte[32], 0, 0, 6, 0xC0, 0x09, 0xC0, 0x0A, 0xC0, 0x2B, 1, 0, 0, (byte)extensions.Length, .. extensions,
        ];
        return [22, 3, Math.Min(minor, (byte)1), 0, (byte)(body.Length + 4), 1, 0, 0, (byte)body.Length, .. body];
    }

    private void Publish(CertificateTable certificates) => _snapshots.Publish(Snapshot.Empty with { Certificates = certificates });

    private Task<SslStream> HandshakeAsync(string name, params SslApplicationProtocol[] protocols) =>
        HandshakeAsync(name, (_, _, _, _) => true, SslProtocols.None, protocols);

    private async Task<SslStream> HandshakeAsync(
        string name, RemoteCertificateValidationCallback validate, SslProtocols versions = SslProtocols.None, params SslApplicationProtocol[] protocols)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(_app.Urls.First()).Port, Stop);
        var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = name,
            RemoteCertificateValidationCallback = validate,
            ApplicationProtocols = [.. protocols],
            EnabledSslProtocols = versions,
        }, Stop);
        return tls;
    }

    private static (X509Certificate2 Certificate, ECDsa Key) Authority(string name, X509Certificate2? issuer, ECDsa? issuerKey)
    {
        var key = ECDsa.Create();
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var (from, to) = (DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return issuer is null
            ? (request.CreateSelfSigned(from, to), key)
            : (request.Create(issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(issuerKey!), from, to, [2]), key);
    }

    private static ServerCertificate Certificate(string name)
    {
        using var key = ECDsa.Create();
        using var certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return new("ns", name, certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem(), new DateTimeOffset(certificate.NotAfter));
    }
}
