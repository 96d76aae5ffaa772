using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using StickyIngress.Core;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Sync;

/// <summary>
/// What was changed about peers at run time (drain, down, weight), for all replicas. Each change is a field of one hash,
/// <c>PREFIX:peers</c>, and is announced; whoever misses that finds it when the hash is next read. What goes back to what is
/// configured stays there for a while as an empty change, so that a replica that was away does not bring the former one back.
/// </summary>
public sealed class SharedPeers
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly RedisConnection _connection;
    private readonly PeerOverridesHolder _overrides;
    private readonly TimeProvider _time;
    private readonly ILogger<SharedPeers> _logger;
    private readonly string _name;
    private readonly UnusedPeers _unused;
    private readonly Lock _gate = new();
    private readonly Dictionary<PeerRef, PeerOverride> _stored = []; // as far as is known here
    private readonly HashSet<PeerRef> _unwritten = [];
    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public SharedPeers(RedisConnection connection, PeerOverridesHolder overrides, SnapshotHolder snapshots, TimeProvider time, ILogger<SharedPeers> logger)
    {
        _unused = new(connection, overrides, () => snapshots.Current.KnownPeers(), time);
        (_connection, _overrides, _time, _logger, _name) = (connection, overrides, time, logger, connection.Options.Prefix + ":peers");
        connection.Subscribe(_name, Hear);
        overrides.Changed += Note;
    }

    /// <summary>Writes what is changed here and reads what is changed elsewhere, until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await WriteAsync();
                await ReadAsync();
                await _unused.SweepAsync();
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // The store is away, which its own log and metrics say; all that is unwritten stays so.
                Log.PeersNotShared(_logger, e.Message);
            }

            await Task.WhenAny(_changed.Reader.WaitToReadAsync(cancellationToken).AsTask(), Task.Delay(Interval, _time, cancellationToken));
            _changed.Reader.TryRead(out _);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>A change, be it made here or taken over from the store.</summary>
    private void Note(PeerRef peer, PeerOverride now)
    {
        lock (_gate)
        {
            if (_stored.TryGetValue(peer, out var stored) && stored == now) return;

            _unwritten.Add(peer);
        }

        _changed.Writer.TryWrite(true);
    }

    private async Task WriteAsync()
    {
        PeerRef[] unwritten;
        lock (_gate) unwritten = [.. _unwritten];
        foreach (var peer in unwritten)
        {
            var now = _overrides.Current.Of(peer);
            lock (_gate) _stored[peer] = now;
            var (field, value) = (Field(peer), Value(now));
            await _connection.Database.HashSetAsync(_name, field, value, When.Always, CommandFlags.DemandMaster);
            await _connection.Database.PublishAsync(RedisChannel.Literal(_name), $"{field}\n{value}");
            lock (_gate)
            {
                if (_overrides.Current.Of(peer) == now) _unwritten.Remove(peer);
            }
        }
    }

    private async Task ReadAsync()
    {
        var all = await _connection.Database.HashGetAllAsync(_name, CommandFlags.DemandMaster);
        var known = new HashSet<PeerRef>();
        foreach (var entry in all)
        {
            if (!TryRead(entry.Name!, entry.Value!, out var peer, out var change)) continue;

            known.Add(peer);
            Take(peer, change);
        }

        // What only this replica knows: kept by its state file, or lost by the store.
        foreach (var (peer, change) in _overrides.Current.All.Where(one => !known.Contains(one.Peer)))
            await _connection.Database.HashSetAsync(_name, Field(peer), Value(change), When.NotExists, CommandFlags.DemandMaster);
    }

    private void Hear(byte[] message)
    {
        var text = Encoding.UTF8.GetString(message);
        var end = text.IndexOf('\n', StringComparison.Ordinal);
        if (end > 0 && TryRead(text[..end], text[(end + 1)..], out var peer, out var change)) Take(peer, change);
    }

    /// <summary>What this replica is about to write itself comes later and stands.</summary>
    private void Take(PeerRef peer, PeerOverride change)
    {
        lock (_gate)
        {
            if (_unwritten.Contains(peer)) return;

            _stored[peer] = change;
        }

        _overrides.Change(peer, _ => change);
    }

    internal static string Field(PeerRef peer) => JsonSerializer.Serialize(
        [peer.Upstream.Namespace, peer.Upstream.Name, peer.Peer.Server, peer.Peer.Id.Value, peer.Peer.Address], SharedPeersJson.Default.StringArray);

    internal static string Value(PeerOverride change) => JsonSerializer.Serialize(change, SharedPeersJson.Default.PeerOverride);

    /// <summary>False for what this version does not understand.</summary>
    internal static bool TryRead(string field, string value, out PeerRef peer, out PeerOverride change)
    {
        (peer, change) = (default, PeerOverride.None);
        try
        {
            if (JsonSerializer.Deserialize(field, SharedPeersJson.Default.StringArray) is not [var space, var name, var server, var id, var address]) return false;
            if (JsonSerializer.Deserialize(value, SharedPeersJson.Default.PeerOverride) is not { } read) return false;
            if (read.Weight is < PeerOverride.MinWeight or > PeerOverride.MaxWeight) return false;

            (peer, change) = (new(new(space, name), new(server, new(id), address)), read);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
