using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace StickyIngress.Tests;

/// <summary>One TLS connection to this machine that says which host it wants, and takes whatever certificate it is shown.</summary>
internal sealed class TlsClient : IAsyncDisposable
{
    private readonly SslStream _tls;
    private readonly HttpClient _http;
    private readonly string _host;
    private bool _taken;

    private TlsClient(SslStream tls, string host)
    {
        (_tls, _host) = (tls, host);
        Certificate = new(tls.RemoteCertificate!);
        _http = new(new SocketsHttpHandler { UseProxy = false, ConnectCallback = TakeAsync });
    }

    public X509Certificate2 Certificate { get; }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Waits for the port too: it opens with the first certificate.</summary>
    public static async Task<TlsClient> ConnectAsync(int port, string host)
    {
        TlsClient? connected = null;
        await StickyIngress.Testing.Eventually.HoldsAsync(async () => (connected = await TryConnectAsync(port, host)) is not null, $"{port} takes connections", Stop);
        return connected!;
    }

    /// <summary>The body of the answer, on this connection: there is no other.</summary>
    public Task<string> GetAsync(string target) => _http.GetStringAsync($"http://{_host}{target}", Stop);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        Certificate.Dispose();
        await _tls.DisposeAsync();
    }

    private static async Task<TlsClient?> TryConnectAsync(int port, string host)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, Stop);
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null; // not open yet
        }

        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        var options = new SslClientAuthenticationOptions { TargetHost = host, RemoteCertificateValidationCallback = static (_, _, _, _) => true };
        await tls.AuthenticateAsClientAsync(options, Stop);
        return new(tls, host);
    }

    private ValueTask<Stream> TakeAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        if (_taken) throw new InvalidOperationException("the connection was closed");

        _taken = true;
        return ValueTask.FromResult<Stream>(_tls);
    }
}
