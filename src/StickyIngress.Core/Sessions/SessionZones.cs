using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;

namespace StickyIngress.Core.Sessions;

/// <summary>
/// All session zones of the process, which outlive snapshots. One timer sweeps them all; dispose it when serving ends.
/// </summary>
public sealed class SessionZones : IDisposable
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<string, SessionZone> _zones = new();
    private readonly ConcurrentDictionary<string, SavedZone> _saved = new();
    private readonly Lock _creating = new();
    private readonly byte[] _secret;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private int _sweeping;

    /// <summary>The secret, at least <see cref="SessionHasher.MinimumSecretLength"/> bytes, keys the hash of session ids.</summary>
    public SessionZones(ReadOnlySpan<byte> secret, TimeProvider time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(secret.Length, SessionHasher.MinimumSecretLength);
        (_secret, _time) = (secret.ToArray(), time);
        _timer = time.CreateTimer(_ => Sweep(), null, SweepInterval, SweepInterval);
    }

    /// <summary>Raised when a zone's sessions are forgotten.</summary>
    public event Action<SessionZone>? Removed;

    public IEnumerable<SessionZone> All => _zones.Values;

    /// <summary>The zone of a name, with its sessions kept, under these bounds from now on.</summary>
    public SessionZone GetOrAdd(string name, SessionTableOptions options)
    {
        lock (_creating)
        {
            if (_zones.TryGetValue(name, out var zone))
            {
                zone.Table.Configure(options);
                return zone;
            }

            zone = new SessionZone(name, _secret, options, _time);
            if (_saved.TryRemove(name, out var saved)) zone.Restore(saved);
            _zones[name] = zone;
            return zone;
        }
    }

    /// <summary>How sessions of that zone are hashed where another of these secrets is in use.</summary>
    public ImmutableArray<SessionHasher> OtherHashers(string name, IEnumerable<byte[]> secrets) =>
        [.. secrets.Where(secret => !CryptographicOperations.FixedTimeEquals(secret, _secret)).Select(secret => new SessionHasher(secret, name))];

    /// <summary>The zone is no longer configured: its sessions are forgotten.</summary>
    public void Remove(string name)
    {
        SessionZone? zone;
        lock (_creating) _zones.TryRemove(name, out zone);
        if (zone is not null) Removed?.Invoke(zone);
    }

    /// <summary>Writes all zones to a file. Throws <see cref="IOException"/> when that fails; the old file stays then.</summary>
    /// <param name="wrap">Makes of the secret what the file may hold, for who reads it; null: the file does not hold it.</param>
    public void Save(string path, Func<ReadOnlySpan<byte>, byte[]>? wrap = null) =>
        SessionFile.Write(path, All, SessionHasher.Fingerprint(_secret), wrap?.Invoke(_secret), _time);

    /// <summary>Reads a file of sessions: for the zones that exist, and for those to come.</summary>
    public SessionFileResult Load(string path)
    {
        var result = SessionFile.Read(path, SessionHasher.Fingerprint(_secret), _time);
        lock (_creating)
        {
            foreach (var saved in result.Zones)
            {
                if (_zones.TryGetValue(saved.Name, out var zone))
                    zone.Restore(saved);
                else
                    _saved[saved.Name] = saved;
            }
        }

        return result;
    }

    public void Dispose() => _timer.Dispose();

    private void Sweep()
    {
        // A timer does not wait for its last call to end.
        if (Interlocked.Exchange(ref _sweeping, 1) != 0) return;

        try
        {
            foreach (var zone in All)
            {
                zone.Table.Sweep();
                zone.Peers.Reclaim(zone.Table);
            }
        }
        finally
        {
            Volatile.Write(ref _sweeping, 0);
        }
    }
}
