using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests;

/// <summary>TLS to peers, with what Secrets hold.</summary>
public sealed class PeerTlsTests
{
    private static readonly (string Certificate, string Key) Server = Certificates.Pair("peer.test", TimeSpan.FromDays(1));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Auto")]
    [InlineData("Yarp")]
    public async Task A_peer_is_verified_by_its_name_and_gets_our_certificate(string engine)
    {
        await using var peer = StartPeer();
        using var manifests = With(
            Certificates.Authority("ca", Server.Certificate), Certificates.Secret("ours", "client.test", TimeSpan.FromDays(1)),
            Upstream("shop", [peer.Address], $"proxy: {{ protocol: HTTPS, engine: {engine}, tls: {{ serverName: peer.test, caSecretName: ca, clientCertSecretName: ours }} }}"));
        await using var process = await StickyProcess.ServeAsync(manifests);

        Assert.Equal("peer.test CN=client.test", await process.GetAsync("/shop"));
    }

    [Theory]
    [InlineData("Auto", 502, "serverName: peer.test")]
    [InlineData("Yarp", 502, "serverName: peer.test")]
    [InlineData("Auto", 502, "serverName: other.test, caSecretName: ca")]
    [InlineData("Yarp", 502, "serverName: other.test, caSecretName: ca")]
    [InlineData("Auto", 502, "caSecretName: ca")]
    [InlineData("Auto", 200, "caSecretName: ca, verify: false")]
    [InlineData("Yarp", 200, "verify: false")]
    public async Task A_peer_that_cannot_be_verified_gets_no_request_unless_told_otherwise(string engine, int status, string tls)
    {
        await using var peer = StartPeer();
        using var manifests = With(
            Certificates.Authority("ca", Server.Certificate), Upstream("shop", [peer.Address], $"proxy: {{ protocol: HTTPS, engine: {engine}, tls: {{ {tls} }} }}"));
        await using var process = await StickyProcess.ServeAsync(manifests);

        using var answer = await process.Client.GetAsync("/shop", Stop);

        Assert.Equal(status, (int)answer.StatusCode);
    }

    /// <summary>Answers with the name that it was asked for and whose certificate it was shown.</summary>
    private static RawBackend StartPeer()
    {
        var certificate = X509Certificate2.CreateFromPem(Server.Certificate, Server.Key);
        return RawBackend.Start(async (stream, cancellationToken) =>
        {
            await using var tls = new SslStream(stream);
            try
            {
                await tls.AuthenticateAsServerAsync(
                    new SslServerAuthenticationOptions { ServerCertificate = certificate, ClientCertificateRequired = true, RemoteCertificateValidationCallback = (_, _, _, _) => true }, cancellationToken);
            }
            catch (System.Security.Authentication.AuthenticationException)
            {
                return; // the client did not like us
            }

            while ((await RawBackend.ReadHeadAsync(tls, cancellationToken)).Length > 0)
            {
                var body = $"{tls.TargetHostName} {tls.RemoteCertificate?.Subject}";
                await tls.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}"), cancellationToken);
            }
        });
    }
}
