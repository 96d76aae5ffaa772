using Microsoft.AspNetCore.Http;
using StickyIngress.Proxy.Forwarding.Http1;

namespace StickyIngress.Proxy.Sockets;

/// <summary>
/// Takes the two connections of a large body off the event loops to the <see cref="BulkThreads"/>, for as long as the exchange takes. Where both sides keep
/// up nothing is ever waited for, and a body of any length would have a thread for itself: there others have their turn in between.
/// </summary>
internal sealed class LargeBody(HttpContext context, PeerConnection connection)
{
    private const int BytesOfTurn = 64 * 1024;

    private long _moved;
    private LoopSocket? _client;
    private ContinueOn _before;

    /// <summary>Whether with that many more bytes moved it is the turn of others: to be asked each time, and <see cref="TakeTurn"/> to be awaited then.</summary>
    public bool EndsTurnWith(int count)
    {
        var moved = Interlocked.Add(ref _moved, count);
        return moved / BytesOfTurn != (moved - count) / BytesOfTurn;
    }

    /// <summary>To be awaited before more is moved.</summary>
    public BulkThreads.Turn TakeTurn()
    {
        connection.ContinueOn = ContinueOn.BulkThread;
        if (_client is null && ClientConnection.Of(context) is { } client)
        {
            _client = client.Socket;
            (_before, _client.ContinueOn) = (_client.ContinueOn, ContinueOn.BulkThread);
        }

        return BulkThreads.TakeTurn();
    }

    /// <summary>The exchange is over: the client's connection is as it was before.</summary>
    public void End() => _client?.ContinueOn = _before;
}
