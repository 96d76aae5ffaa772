using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using StickyIngress.Proxy.Forwarding.Http1;

namespace StickyIngress.Proxy.Sockets;

/// <summary>
/// Takes the two connections of a large body off the threads that see everybody's events, for as long as the exchange takes. Where both sides keep
/// up nothing is ever waited for, and a body of any length would have such a thread for itself.
/// </summary>
internal sealed class LargeBody(HttpContext context, PeerConnection connection)
{
    private const int Bytes = 256 * 1024;

    /// <summary>Whoever moves bytes on an event thread now has then run out of them, and goes on elsewhere.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);

    private long _moved;
    private int _isMoving;
    private Socket? _client;

    /// <summary>Whether with that many more bytes it has become large; true once.</summary>
    public bool IsLargeWith(int count) => Interlocked.Add(ref _moved, count) >= Bytes && Interlocked.Exchange(ref _isMoving, 1) == 0;

    /// <summary>To be awaited before more is moved.</summary>
    public Task LeaveEventThreadsAsync()
    {
        connection.UseEventThread(false);
        var client = context.Features.Get<IConnectionSocketFeature>()?.Socket;
        if (client is not null && InlineSockets.TryLeave(client)) _client = client;
        return Task.Delay(Pause, TimeProvider.System);
    }

    /// <summary>The exchange is over: the client's connection is as it was before.</summary>
    public void End()
    {
        if (_client is not null) InlineSockets.Use(_client);
    }
}
