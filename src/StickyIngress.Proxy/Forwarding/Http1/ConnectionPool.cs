using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StickyIngress.Core;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>
/// The idle connections of one upstream, as nginx keeps them: so many for all peers together, the one used last is taken first, and the one used
/// longest ago makes room.
/// </summary>
internal sealed class ConnectionPool(Clock clock)
{
    private readonly Lock _gate = new();

    /// <summary>Used longest ago first.</summary>
    private readonly LinkedList<PeerConnection> _byUse = new();

    /// <summary>The one kept last for each key; the others hang below it.</summary>
    private readonly Dictionary<ConnectionKey, PeerConnection> _top = [];

    private bool _isClosed;

    public int Count
    {
        get
        {
            lock (_gate) return _byUse.Count;
        }
    }

    /// <summary>A connection that is fit for use; null: there is none.</summary>
    public PeerConnection? Take(in ConnectionKey key, PeerState peer)
    {
        while (true)
        {
            PeerConnection? taken;
            lock (_gate)
            {
                ref var top = ref CollectionsMarshal.GetValueRefOrNullRef(_top, key);
                if (Unsafe.IsNullRef(ref top)) return null;

                taken = top;
                if (taken.Idle.Below is { } next) top = next;
                else _top.Remove(key);
                Leave(taken.Idle);
            }

            if (taken.Idle.Until > clock.Milliseconds && taken.IsQuiet)
            {
                taken.PassTo(peer);
                return taken;
            }

            taken.Dispose();
        }
    }

    /// <summary>Keeps a connection whose request is over, or closes it.</summary>
    public void Keep(PeerConnection connection, KeepaliveSettings settings)
    {
        var now = clock.Milliseconds;
        if (settings.Connections == 0 || connection.Requests >= settings.Requests || now - connection.OpenedAt > settings.Time.TotalMilliseconds)
        {
            connection.Dispose();
            return;
        }

        connection.BeginIdle();

        PeerConnection? evicted = null;
        var kept = false;
        lock (_gate)
        {
            if (!_isClosed && connection.IsQuiet)
            {
                while (_byUse.Count >= settings.Connections)
                {
                    evicted?.Dispose();
                    evicted = _byUse.First!.Value;
                    Unlink(evicted);
                }

                Link(connection, now + (long)settings.Timeout.TotalMilliseconds);
                kept = true;
            }
        }

        evicted?.Dispose();
        if (!kept) connection.Dispose();
    }

    /// <summary>Closes it if it is still idle.</summary>
    public bool TryDrop(PeerConnection connection) => TryDrop(connection, long.MaxValue);

    /// <summary>Closes it if it is still idle, and was so for too long or its peer has closed it.</summary>
    public bool TryDrop(PeerConnection connection, long now)
    {
        lock (_gate)
        {
            if (connection.Idle.Pool != this || (now < connection.Idle.Until && connection.IsQuiet)) return false;
            Unlink(connection);
        }

        connection.Dispose();
        return true;
    }

    /// <summary>Closes the idle connections of peers that are gone.</summary>
    /// <param name="current">Null: the upstream itself is gone, and nothing is kept any more.</param>
    public void Retain(IReadOnlySet<PeerState>? current)
    {
        List<PeerConnection> gone = [];
        lock (_gate)
        {
            if (current is null) _isClosed = true;
            foreach (var connection in _byUse)
            {
                if (current is null || !current.Contains(connection.Peer)) gone.Add(connection);
            }

            foreach (var connection in gone) Unlink(connection);
        }

        foreach (var connection in gone) connection.Dispose();
    }

    private void Link(PeerConnection connection, long until)
    {
        var slot = connection.Idle;
        slot.Until = until;
        slot.Node ??= new(connection);
        _byUse.AddLast(slot.Node);
        ref var top = ref CollectionsMarshal.GetValueRefOrAddDefault(_top, connection.Key, out _);
        slot.Below = top;
        top = connection;
        slot.Pool = this;
    }

    private void Unlink(PeerConnection connection)
    {
        var slot = connection.Idle;
        var above = _top[connection.Key];
        if (above == connection)
        {
            if (slot.Below is { } next) _top[connection.Key] = next;
            else _top.Remove(connection.Key);
        }
        else
        {
            while (above.Idle.Below != connection) above = above.Idle.Below!;
            above.Idle.Below = slot.Below;
        }

        Leave(slot);
    }

    private void Leave(IdleSlot slot)
    {
        _byUse.Remove(slot.Node!);
        (slot.Pool, slot.Below) = (null, null);
    }
}
