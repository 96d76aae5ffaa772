using System.Globalization;
using StickyIngress.Core;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Admin;

/// <summary>
/// The gauges that are read off the snapshot when somebody scrapes. Written straight to the page: thousands of peers in seven states
/// each would otherwise be kept as objects between scrapes.
/// </summary>
internal sealed class SnapshotMetrics(SnapshotHolder snapshots, Clock clock)
{
    private static readonly (PeerCondition Condition, string Word)[] States =
    [
        .. Enum.GetValues<PeerCondition>().Select(condition => (condition, PeerView.Word(condition))),
    ];

    public void Write(MetricsText page)
    {
        var upstreams = snapshots.Current.Upstreams;
        var now = clock.Milliseconds;

        page.Begin("peer_state", "gauge", "Whether a peer is in that state.");
        foreach (var (upstream, peer) in Peers(upstreams))
        {
            var condition = PeerView.ConditionOf(peer, now);
            foreach (var (state, word) in States)
                page.Sample("peer_state", condition == state ? 1 : 0, Labels(upstream, peer, "state", word));
        }

        page.Begin("peer_effective_weight", "gauge", "Weight as it counts now, less what failures took.");
        foreach (var (upstream, peer) in Peers(upstreams))
            page.Sample("peer_effective_weight", PeerView.EffectiveWeight(peer), Labels(upstream, peer));

        page.Begin("peer_connections", "gauge", "Connections to the peer: active ones carry a request.");
        foreach (var (upstream, peer) in Peers(upstreams))
        {
            page.Sample("peer_connections", peer.State.Conns, Labels(upstream, peer, "state", "active"));
            page.Sample("peer_connections", peer.State.IdleConnections, Labels(upstream, peer, "state", "idle"));
        }

        page.Begin("config_revision", "gauge", "Number of the snapshot that serves.");
        page.Sample("config_revision", snapshots.Current.Revision, []);
    }

    /// <summary>Peers of one label are one line: two servers may name the same pod.</summary>
    private static IEnumerable<(Upstream Upstream, Peer Peer)> Peers(IEnumerable<Upstream> upstreams) =>
        upstreams.SelectMany(upstream => upstream.Peers.DistinctBy(peer => peer.Label).Select(peer => (upstream, peer)));

    private static (string Name, string Value)[] Labels(Upstream upstream, Peer peer, string? name = null, string value = "")
    {
        (string, string)[] common = [("namespace", upstream.Name.Namespace), ("upstream", upstream.Name.Name), ("peer", peer.Label)];
        return name is null ? common : [.. common, (name, value)];
    }
}

/// <summary>Writes the Prometheus text format.</summary>
internal sealed class MetricsText(TextWriter writer)
{
    private const string Prefix = "stickyingress_";

    public void Begin(string name, string type, string help)
    {
        writer.Write($"# HELP {Prefix}{name} {help}\n");
        writer.Write($"# TYPE {Prefix}{name} {type}\n");
    }

    public void Sample(string name, double value, ReadOnlySpan<(string Name, string Value)> labels)
    {
        writer.Write(Prefix);
        writer.Write(name);
        for (var i = 0; i < labels.Length; i++)
        {
            writer.Write(i == 0 ? '{' : ',');
            writer.Write($"{labels[i].Name}=\"{Escape(labels[i].Value)}\"");
        }

        if (labels.Length > 0) writer.Write('}');
        writer.Write(' ');
        writer.Write(value.ToString(CultureInfo.InvariantCulture));
        writer.Write('\n');
    }

    private static string Escape(string value) => value.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n");
}
