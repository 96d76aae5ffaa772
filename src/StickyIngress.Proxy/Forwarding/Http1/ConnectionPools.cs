using System.Net.Security;
using System.Runtime.CompilerServices;
using StickyIngress.Core;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>The pools of all upstreams. A pool lives as long as its upstream's state; see <see cref="Forget"/> for what goes before.</summary>
public sealed class ConnectionPools : IDisposable
{
    private readonly ConditionalWeakTable<UpstreamState, ConnectionPool> _pools = [];
    private readonly ConditionalWeakTable<ProxySettings, PeerTlsClient> _tlsOfSettings = [];
    private readonly Dictionary<PeerTls, WeakReference<PeerTlsClient>> _tls = [];
    private readonly ConditionalWeakTable<UpstreamState, ConnectionPool>.CreateValueCallback _create;
    private readonly Clock _clock;

    public ConnectionPools(TimeProvider time, Clock clock)
    {
        (_clock, Watch) = (clock, new(time, clock));
        _create = _ => new(_clock);
    }

    /// <summary>Connections that are open, in use or idle.</summary>
    public int OpenConnections => Watch.Count;

    internal ConnectionWatch Watch { get; }

    /// <summary>Closes idle connections to peers that the upstream has no more.</summary>
    /// <param name="current">What the upstream is now; null: it is gone.</param>
    public void Forget(Upstream former, Upstream? current)
    {
        if (!_pools.TryGetValue(former.State, out var pool)) return;

        if (current is null) _pools.Remove(former.State);
        pool.Retain(current?.Peers.Select(peer => peer.State).ToHashSet());
    }

    public void Dispose() => Watch.Dispose();

    internal ConnectionPool Of(UpstreamState upstream) => _pools.GetValue(upstream, _create);

    /// <summary>Equal settings share one, so that connections outlive a change of anything else.</summary>
    internal PeerTlsClient TlsOf(ProxySettings settings) =>
        _tlsOfSettings.TryGetValue(settings, out var known) ? known : _tlsOfSettings.GetValue(settings, Find);

    private PeerTlsClient Find(ProxySettings settings)
    {
        lock (_tls)
        {
            if (_tls.TryGetValue(settings.Tls, out var known) && known.TryGetTarget(out var client)) return client;

            foreach (var (gone, _) in _tls.Where(entry => !entry.Value.TryGetTarget(out _)).ToArray()) _tls.Remove(gone);
            client = new(settings.Tls, SslApplicationProtocol.Http11);
            _tls[settings.Tls] = new(client);
            return client;
        }
    }
}
