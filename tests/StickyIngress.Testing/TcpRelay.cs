using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace StickyIngress.Testing;

/// <summary>Stands between a client and a server, and can be slow, or cut them off from each other.</summary>
public sealed class TcpRelay : IAsyncDisposable
{
    private readonly int _target;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Socket, bool> _open = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task _accepting;
    private volatile bool _cut;
    private long _delay;

    /// <param name="target">The port that it leads to.</param>
    public TcpRelay(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Address => _listener.LocalEndpoint.ToString()!;

    /// <summary>How long each answer of the server is held back.</summary>
    public TimeSpan Delay
    {
        get => TimeSpan.FromTicks(Interlocked.Read(ref _delay));
        set => Interlocked.Exchange(ref _delay, value.Ticks);
    }

    /// <summary>Ends all connections and accepts none any more.</summary>
    public void Cut()
    {
        _cut = true;
        foreach (var socket in _open.Keys) socket.Dispose();
    }

    public void Mend() => _cut = false;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        Cut();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                if (_cut) client.Dispose();
                else _ = RelayAsync(client);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                // Stopped, or the client left before it was accepted.
            }
        }
    }

    private async Task RelayAsync(Socket client)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        _open[client] = _open[server] = true;
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, _target);
            await Task.WhenAny(PumpAsync(client, server, slow: false), PumpAsync(server, client, slow: true));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The server is not there, or they were cut off.
        }
        finally
        {
            _open.TryRemove(client, out _);
            _open.TryRemove(server, out _);
            client.Dispose();
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool slow)
    {
        var underway = Channel.CreateUnbounded<(DateTime Due, byte[] Bytes)>();
        var sending = SendAsync(underway.Reader, to);
        try
        {
            var buffer = new byte[64 * 1024];
            while (await from.ReceiveAsync(buffer) is > 0 and var length)
                underway.Writer.TryWrite((DateTime.UtcNow + (slow ? Delay : TimeSpan.Zero), buffer[..length]));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Cut off.
        }

        underway.Writer.Complete();
        await sending;
    }

    private static async Task SendAsync(ChannelReader<(DateTime Due, byte[] Bytes)> underway, Socket to)
    {
        try
        {
            await foreach (var (due, bytes) in underway.ReadAllAsync())
            {
                if (due - DateTime.UtcNow is { Ticks: > 0 } early) await Task.Delay(early);
                await to.SendAsync(bytes);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Cut off.
        }
    }
}
