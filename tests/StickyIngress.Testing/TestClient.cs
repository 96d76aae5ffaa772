using System.Net;
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

    /// <summary>Sends the text and reads until the server closes, as text of one character a byte.</summary>
    public static async Task<string> ExchangeAsync(IPEndPoint server, string request, CancellationToken cancellationToken)
    {
        using var client = new TestClient(server);
        var stream = await client.ConnectAsync(cancellationToken);
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), cancellationToken);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return await reader.ReadToEndAsync(cancellationToken);
    }

    public void Dispose() => _tcp.Dispose();
}
