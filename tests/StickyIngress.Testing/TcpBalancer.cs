using System.Net;
using System.Net.Sockets;

namespace StickyIngress.Testing;

/// <summary>
/// One address before several, as a Service is before its endpoints: a new connection goes to the next target, and stays with it for as long
/// as it lives, whatever becomes of the list.
/// </summary>
public sealed class TcpBalancer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private volatile IPEndPoint[] _targets;
    private int _next;

    private TcpBalancer(IPEndPoint[] targets)
    {
        _targets = targets;
        _listener.Start();
        _accepting = Task.Run(AcceptAsync);
    }

    public Uri Address => new($"http://{_listener.LocalEndpoint}");

    public static TcpBalancer Before(params IPEndPoint[] targets) => new(targets);

    /// <summary>New connections go to these from now on.</summary>
    public void SetTargets(params IPEndPoint[] targets) => _targets = targets;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                _ = Task.Run(() => CarryAsync(client));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // Disposed.
        }
    }

    private async Task CarryAsync(Socket client)
    {
        var targets = _targets;
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (client)
        {
            try
            {
                await server.ConnectAsync(targets[(uint)Interlocked.Increment(ref _next) % targets.Length], _stop.Token);
                await Task.WhenAll(CopyAsync(client, server), CopyAsync(server, client));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                // One side has gone, and with the sockets the other learns of it.
            }
        }
    }

    private async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and var read)
        {
            for (var sent = 0; sent < read;) sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), _stop.Token);
        }

        to.Shutdown(SocketShutdown.Send);
    }
}
