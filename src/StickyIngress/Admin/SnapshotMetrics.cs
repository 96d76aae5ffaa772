using StickyIngress.Control;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Core;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Sessions;
using StickyIngress.Core.Sharing;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Admin;

/// <summary>
/// The gauges that are read off the snapshot when somebody scrapes. Written straight to the page: thousands of peers in seven states
/// each would otherwise be kept as objects between scrapes, or as one text of many megabytes during one.
/// </summary>
internal sealed class SnapshotMetrics(SnapshotHolder snapshots, SessionZones zones, ReconcilerState reconciler, Clock clock, AffinityKeysHolder keys, SessionKeeper keeper, StateKeeper state,
    SessionSharing? sharing = null)
{
    private static readonly (PeerCondition Condition, string Word)[] States =
        [.. Enum.GetValues<PeerCondition>().Select(condition => (condition, PeerView.Word(condition)))];

    private static readonly (SessionEnd End, string Word)[] Ends =
    [
        (SessionEnd.Timeout, "timeout"), (SessionEnd.Evicted, "evicted"), (SessionEnd.Replaced, "replaced"), (SessionEnd.PeerGone, "peer_gone"),
    ];

    public async Task WriteAsync(MetricsText page, CancellationToken cancellationToken)
    {
        var upstreams = snapshots.Current.Upstreams;
        await WritePeersAsync(page, upstreams, cancellationToken);
        WriteQueues(page, upstreams);
        WriteSessions(page);
        WriteConfig(page);
        WriteCertificates(page);
        if (sharing is not null) WriteSharing(page, sharing);
        await page.FlushAsync(cancellationToken);
    }

    private async Task WritePeersAsync(MetricsText page, IReadOnlyList<Upstream> upstreams, CancellationToken cancellationToken)
    {
        var now = clock.Milliseconds;
        page.Begin("peer_state", "gauge", "Whether a peer is in that state.");
        await EachPeerAsync((upstream, peer) =>
        {
            var condition = PeerView.ConditionOf(peer, now);
            foreach (var (state, word) in States) Sample("peer_state", condition == state ? 1 : 0, upstream, peer, word);
        });

        page.Begin("peer_effective_weight", "gauge", "Weight as it counts now, after failures and during a slow start.");
        await EachPeerAsync((upstream, peer) => Sample("peer_effective_weight", SlowStart.EffectiveWeight(peer, now), upstream, peer));

        page.Begin("peer_connections", "gauge", "Requests that a peer holds (active), and connections to it that are kept open (idle).");
        await EachPeerAsync((upstream, peer) =>
        {
            Sample("peer_connections", peer.State.Conns, upstream, peer, "active");
            Sample("peer_connections", peer.State.IdleConnections, upstream, peer, "idle");
        });

        page.Begin("affinity_sessions", "gauge", "Sessions bound to a peer: exact for learn, an estimate of distinct clients for cookie.");
        await EachPeerAsync((upstream, peer) =>
        {
            if (upstream.Affinity is { Mode: not AffinityMode.Route } affinity) Sample("affinity_sessions", affinity.BoundTo(peer), upstream, peer);
        });

        // Peers of one label are one line: two servers may name the same pod.
        async Task EachPeerAsync(Action<Upstream, Peer> write)
        {
            foreach (var upstream in upstreams)
            {
                foreach (var peer in upstream.Peers.DistinctBy(peer => peer.Label))
                {
                    write(upstream, peer);
                    await page.FlushFullAsync(cancellationToken);
                }
            }
        }

        void Sample(string name, double value, Upstream upstream, Peer peer, string? state = null)
        {
            var (space, named, labelled) = (("namespace", upstream.Name.Namespace), ("upstream", upstream.Name.Name), ("peer", peer.Label));
            page.Sample(name, value, state is null ? [space, named, labelled] : [space, named, labelled, ("state", state)]);
        }
    }

    private static void WriteQueues(MetricsText page, IEnumerable<Upstream> upstreams)
    {
        page.Begin("upstream_queue_length", "gauge", "Requests that wait for a peer.");
        foreach (var upstream in upstreams.Where(upstream => upstream.Queue is not null))
            page.Sample("upstream_queue_length", upstream.State.Queue.Length, [("namespace", upstream.Name.Namespace), ("upstream", upstream.Name.Name)]);
    }

    private void WriteSessions(MetricsText page)
    {
        var tables = zones.All.OrderBy(zone => zone.Name, StringComparer.Ordinal).ToArray();
        WriteTables(page, tables, "session_table_entries", "gauge", "Sessions in a table.", table => table.Count);
        WriteTables(page, tables, "session_table_capacity", "gauge", "Sessions that a table holds at most.", table => table.Capacity);
        WriteTables(page, tables, "session_table_bytes", "gauge", "Memory of a table.", table => table.Bytes);
        WriteTables(page, tables, "session_table_created_total", "counter", "Sessions that were created.", table => table.CreatedTotal);

        page.Begin("session_table_ended_total", "counter", "Sessions that ended, by why.");
        foreach (var zone in tables)
        {
            foreach (var (end, word) in Ends)
                page.Sample("session_table_ended_total", zone.Table.EndedTotal(end), [.. ZoneLabels(zone), ("reason", word)]);
        }
    }

    private void WriteConfig(MetricsText page)
    {
        page.Begin("config_revision", "gauge", "Number of the snapshot that serves.");
        page.Sample("config_revision", snapshots.Current.Revision, []);

        page.Begin("config_last_success_timestamp_seconds", "gauge", "When resources were last compiled and published.");
        page.Sample("config_last_success_timestamp_seconds", (reconciler.LastSuccess?.ToUnixTimeMilliseconds() ?? 0) / 1000d, []);

        page.Begin("resource_diagnostics", "gauge", "Findings about resources, by severity.");
        foreach (var (severity, word) in new[] { (Severity.Error, "error"), (Severity.Warning, "warning") })
            page.Sample("resource_diagnostics", reconciler.Diagnostics.Count(found => found.Severity == severity), [("severity", word)]);

        page.Begin("affinity_keys_current", "gauge", "Whether the keys in use are those of their file as it is now.");
        page.Sample("affinity_keys_current", keys.Trouble is null ? 1 : 0, []);

        page.Begin("session_file_last_success_timestamp_seconds", "gauge", "When the session file was last written; 0: never.");
        page.Sample("session_file_last_success_timestamp_seconds", (keeper.LastSaved?.ToUnixTimeMilliseconds() ?? 0) / 1000d, []);

        page.Begin("state_file_current", "gauge", "Whether changes of peers at run time are in the state file, or there is none.");
        page.Sample("state_file_current", state.Trouble is null ? 1 : 0, []);

        page.Begin("build_info", "gauge", "Version of the program and of its runtime.");
        page.Sample("build_info", 1, [("version", BuildInfo.Version), ("runtime", Environment.Version.ToString())]);
    }

    private void WriteCertificates(MetricsText page)
    {
        page.Begin("tls_certificate_not_after_timestamp_seconds", "gauge", "When a certificate for clients ends.");
        foreach (var certificate in snapshots.Current.Certificates.All)
        {
            page.Sample(
                "tls_certificate_not_after_timestamp_seconds", certificate.NotAfter.ToUnixTimeSeconds(),
                [("namespace", certificate.Namespace), ("secret", certificate.SecretName)]);
        }
    }

    private static void WriteSharing(MetricsText page, SessionSharing sharing)
    {
        page.Begin("session_sync_connected", "gauge", "Whether the shared store can be written, and read within the budget.");
        page.Sample("session_sync_connected", sharing.IsAway ? 0 : 1, []);

        page.Begin("session_sync_pending", "gauge", "Sessions that wait to be written to the shared store.");
        page.Sample("session_sync_pending", sharing.Pending, []);
    }

    private static void WriteTables(
        MetricsText page, IEnumerable<SessionZone> zones, string name, string type, string help, Func<SessionTable, long> value)
    {
        page.Begin(name, type, help);
        foreach (var zone in zones) page.Sample(name, value(zone.Table), ZoneLabels(zone));
    }

    /// <summary>A zone's full name is its namespace and its name.</summary>
    private static (string Name, string Value)[] ZoneLabels(SessionZone zone)
    {
        var slash = zone.Name.IndexOf('/');
        return [("namespace", zone.Name[..Math.Max(0, slash)]), ("zone", zone.Name[(slash + 1)..])];
    }
}
