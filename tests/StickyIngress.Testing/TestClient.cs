using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace StickyIngress.Testing;

/// <summary>A client that sends exactly these bytes and shows what came back.</summary>
public sealed class TestClient(IPEndPoint server) : IDisposable
{
    private readonly TcpClient _tcp = new();

    public async Task<NetworkStream> ConnectAsync(CancellationToken cancellationToken)
    {
        await _tcp.ConnectAsync(server, cancellationToken);
        return _tcp.GetStream();
    }

    /// <summary>The same over TLS, whatever certificate is shown.</summary>
    /// <param name="name">The server that is asked for.</param>
    public async Task<SslStream> ConnectTlsAsync(string name, CancellationToken cancellationToken)
    {
        var tls = new SslStream(await ConnectAsync(cancellationToken));
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = name, RemoteCertificateValidationCallback = static (_, _, _, _) => true }, cancellationToken);
        return tls;
    }

    /// <summary>The server gets no more, and may still answer.</summary>
    public void EndSending() => _tcp.Client.Shutdown(SocketShutdown.Send);

    /// <summary>Sends the text and reads until the server closes, as text of one character a byte.</summary>
    public static async Task<string> ExchangeAsync(IPEndPoint server, string request, CancellationToken cancellationToken)
    {
        using var client = new TestClient(server);
        return await ExchangeAsync(await client.ConnectAsync(cancellationToken), request, cancellationToken);
    }

    /// <inheritdoc cref="ExchangeAsync(IPEndPoint, string, CancellationToken)"/>
    public static async Task<string> ExchangeAsync(Stream stream, string request, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), cancellationToken);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return await reader.ReadToEndAsync(cancellationToken);
    }

    public void Dispose() => _tcp.Dispose();
}
