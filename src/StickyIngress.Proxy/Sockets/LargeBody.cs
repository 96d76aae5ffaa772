using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using StickyIngress.Proxy.Forwarding.Http1;

namespace StickyIngress.Proxy.Sockets;

/// <summary>
/// Takes the two connections of a large body off the event loops, for as long as the exchange takes. Where both sides keep up nothing is ever
/// waited for, and a body of any length would have such a thread for itself.
/// </summary>
internal sealed class LargeBody(HttpContext context, PeerConnection connection)
{
    private const int Bytes = 256 * 1024;

    private long _moved;
    private int _isMoving;
    private LoopSocket? _client;
    private bool _wasInline;

    /// <summary>Whether with that many more bytes it has become large; true once.</summary>
    public bool IsLargeWith(int count) => Interlocked.Add(ref _moved, count) >= Bytes && Interlocked.Exchange(ref _isMoving, 1) == 0;

    /// <summary>To be awaited before more is moved.</summary>
    public YieldAwaitable LeaveEventLoops()
    {
        connection.IsInline = false;
        if (ClientConnection.Of(context) is { } client)
        {
            _client = client.Socket;
            (_wasInline, _client.IsInline) = (_client.IsInline, false);
        }

        return Task.Yield();
    }

    /// <summary>The exchange is over: the client's connection is as it was before.</summary>
    public void End() => _client?.IsInline = _wasInline;
}
