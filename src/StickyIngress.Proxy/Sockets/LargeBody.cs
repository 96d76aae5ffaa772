using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using StickyIngress.Proxy.Forwarding.Http1;

namespace StickyIngress.Proxy.Sockets;

/// <summary>
/// Takes the two connections of a body that has much at once off the event loops, for as long as the exchange takes. Where both sides keep up nothing is
/// ever waited for, and a body of any length would have a thread for itself: others have their turn in between. What trickles stays where it is.
/// </summary>
internal sealed class LargeBody(HttpContext context, PeerConnection connection)
{
    private const int BytesOfTurn = 64 * 1024;

    /// <summary>In which they have to be moved, in milliseconds.</summary>
    private const int Period = 100;

    private long _since;
    private long _moved;
    private LoopSocket? _client;
    private ContinueOn _before;

    /// <summary>Whether with that many more bytes moved it is the turn of others: to be asked each time, before more is moved.</summary>
    public bool EndsTurnWith(int count)
    {
        var now = connection.Clock.Milliseconds;
        if (now - Interlocked.Read(ref _since) >= Period)
        {
            Interlocked.Exchange(ref _since, now);
            Interlocked.Exchange(ref _moved, 0);
        }

        var moved = Interlocked.Add(ref _moved, count);
        return moved / BytesOfTurn != (moved - count) / BytesOfTurn;
    }

    /// <summary>To be awaited when a turn is over; the next one is on the <see cref="BulkThreads"/>.</summary>
    public BulkThreads.Turn TakeTurn()
    {
        LeaveFor(ContinueOn.BulkThread);
        return BulkThreads.TakeTurn();
    }

    /// <summary>The same for what may hurry all the same, such as a websocket's messages; the next turn is on the thread pool.</summary>
    public YieldAwaitable TakeTurnOnPool()
    {
        LeaveFor(ContinueOn.ThreadPool);
        return Task.Yield();
    }

    /// <summary>The exchange is over: the client's connection is as it was before.</summary>
    public void End() => _client?.ContinueOn = _before;

    /// <summary>Both directions may come here at a time.</summary>
    private void LeaveFor(ContinueOn where)
    {
        connection.ContinueOn = where;
        if (ClientConnection.Of(context) is { } client && Interlocked.CompareExchange(ref _client, client.Socket, null) is null)
        {
            (_before, client.Socket.ContinueOn) = (client.Socket.ContinueOn, where);
        }
    }
}
