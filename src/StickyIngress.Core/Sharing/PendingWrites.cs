using System.Threading.Channels;
using StickyIngress.Core.Sessions;

namespace StickyIngress.Core.Sharing;

/// <summary>
/// The sessions that wait to be written, in order, each at most once: only that a session is to be written is kept, and what is
/// written is what the table then says. A session stays here until its write is answered. What cannot be written now is held.
/// </summary>
internal sealed class PendingWrites(int capacity)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(SharedZone Zone, SessionKey Key), PendingWrite> _all = [];
    private readonly Queue<PendingWrite> _waiting = new();
    private readonly List<PendingWrite> _held = [];
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public int Count
    {
        get
        {
            lock (_gate) return _all.Count;
        }
    }

    /// <summary>All but those that are held.</summary>
    public int Active
    {
        get
        {
            lock (_gate) return _all.Count - _held.Count;
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

    /// <summary>Not to be taken until <see cref="Release"/>. False where too many are held: it is forgotten.</summary>
    public bool TryHold(PendingWrite write)
    {
        lock (_gate)
        {
            (write.IsUnderway, write.Again) = (false, false);
            if (_held.Count < capacity / 2)
            {
                _held.Add(write);
                return true;
            }

            _all.Remove((write.Zone, write.Key));
            return false;
        }
    }

    /// <summary>Those that are held may be taken again.</summary>
    public void Release()
    {
        lock (_gate)
        {
            foreach (var write in _held) Enqueue(write);
            _held.Clear();
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

    /// <summary>For peers that the session was bound to, what the store may still have.</summary>
    public byte[][] ReplacedValues() => _replaced.Length == 0 ? [] : Array.ConvertAll(_replaced, SharedRecord.Value);

    public void Replaces(string? peer)
    {
        if (peer is null || _replaced.Contains(peer)) return;

        _replaced = [.. _replaced.TakeLast(MaxReplaced - 1), peer];
    }
}
