using System.Threading.Channels;
using StickyIngress.Core.Sessions;

namespace StickyIngress.Core.Sharing;

/// <summary>
/// The sessions that wait to be written, in order, each at most once: only that a session is to be written is kept, and what is
/// written is what the table then says. A session stays here until its write is answered.
/// </summary>
internal sealed class PendingWrites(int capacity)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(SharedZone Zone, SessionKey Key), PendingWrite> _all = [];
    private readonly Queue<PendingWrite> _waiting = new();
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public int Count
    {
        get
        {
            lock (_gate) return _all.Count;
        }
    }

    public bool Contains(SharedZone zone, in SessionKey key)
    {
        lock (_gate) return _all.ContainsKey((zone, key));
    }

    /// <summary>False where there is no room.</summary>
    /// <param name="former">The peer that the session was bound to before; null: none.</param>
    public bool TryAdd(SharedZone zone, in SessionKey key, string? former, bool announce, TimeSpan age)
    {
        lock (_gate)
        {
            if (_all.TryGetValue((zone, key), out var known))
            {
                known.Replaces(former);
                known.Announce |= announce;
                known.Again = known.IsUnderway;
                if (age < known.Age) known.Age = age;
                return true;
            }

            if (_all.Count >= capacity) return false;

            var added = new PendingWrite(zone, key) { Announce = announce, Age = age };
            added.Replaces(former);
            _all.Add((zone, key), added);
            Enqueue(added);
            return true;
        }
    }

    /// <summary>Waits until there is something to take.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken) => await _signal.Reader.ReadAsync(cancellationToken);

    public void Take(List<PendingWrite> batch, int most)
    {
        lock (_gate)
        {
            while (batch.Count < most && _waiting.TryDequeue(out var next))
            {
                next.IsUnderway = true;
                batch.Add(next);
            }

            if (_waiting.Count > 0) Signal();
        }
    }

    /// <summary>Answered, or not to be written any more. It is written once more where it has changed meanwhile.</summary>
    /// <param name="stored">The peer that the store now has; null: unknown.</param>
    public void Done(PendingWrite write, string? stored)
    {
        lock (_gate)
        {
            write.IsUnderway = false;
            if (!write.Again)
            {
                _all.Remove((write.Zone, write.Key));
                return;
            }

            write.Again = false;
            write.Replaces(stored);
            Enqueue(write);
        }
    }

    /// <summary>Nobody knows whether it was written: it is written again.</summary>
    public void Failed(PendingWrite write)
    {
        lock (_gate)
        {
            (write.IsUnderway, write.Again) = (false, false);
            Enqueue(write);
        }
    }

    private void Enqueue(PendingWrite write)
    {
        _waiting.Enqueue(write);
        Signal();
    }

    private void Signal() => _signal.Writer.TryWrite(true);
}

/// <summary>A session that is to be written. Changed under the lock of <see cref="PendingWrites"/>.</summary>
internal sealed class PendingWrite(SharedZone zone, SessionKey key)
{
    private const int MaxReplaced = 8;
    private string[] _replaced = [];

    public SharedZone Zone { get; } = zone;

    public SessionKey Key { get; } = key;

    public bool Announce { get; set; }

    /// <summary>For how long the session had not been used.</summary>
    public TimeSpan Age { get; set; }

    public bool IsUnderway { get; set; }

    /// <summary>It has changed since it was sent.</summary>
    public bool Again { get; set; }

    /// <summary>Peers that the session was bound to, any of which the store may still have.</summary>
    public IReadOnlyList<string> Replaced => _replaced;

    public void Replaces(string? peer)
    {
        if (peer is null || _replaced.Contains(peer)) return;

        _replaced = [.. _replaced.TakeLast(MaxReplaced - 1), peer];
    }
}
