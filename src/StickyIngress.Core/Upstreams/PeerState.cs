using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using StickyIngress.Core.Affinity;

namespace StickyIngress.Core.Upstreams;

/// <summary>
/// What is counted about a peer while it serves; it lives as long as the peer exists, through any number of snapshots. Written
/// under the <see cref="UpstreamState.Gate"/>; metrics read it without, a figure at a time.
/// </summary>
public sealed class PeerState(UpstreamState upstream, PeerKey key)
{
    private ClientEstimate? _clients;
    private int _connections;
    private PeerTokens? _tokens;

    public UpstreamState Upstream { get; } = upstream;

    /// <summary>The peer is no more, though requests to it may still run.</summary>
    public bool IsGone { get => Volatile.Read(ref field) || Upstream.IsGone; internal set => Volatile.Write(ref field, value); }

    /// <summary>Whose state it is.</summary>
    public PeerRef Peer => new(Upstream.Name, key);

    /// <summary>
    /// nginx current_weight: what smooth round robin has saved up for it, in <see cref="SlowStart.UnitParts"/>. While
    /// <see cref="Index"/> is set the index knows the newer figure and writes it back when it lets go.
    /// </summary>
    public long CurrentWeight { get; internal set; }

    /// <summary>What failures took off its weight; nginx's effective_weight is the weight less this.</summary>
    public long LostWeight { get; internal set; }

    /// <summary>Requests that hold it now.</summary>
    public int Conns { get; internal set; }

    /// <summary>Failures that count now.</summary>
    public int Fails { get; internal set; }

    /// <summary>Unix seconds of the last failure.</summary>
    public long Accessed { get; internal set; }

    /// <summary>Unix seconds of the last failure, or of the first selection more than failTimeout after it.</summary>
    public long Checked { get; internal set; }

    /// <summary>Unix milliseconds since when its weight grows; 0: it has its full weight. See <see cref="SlowStart"/>.</summary>
    public long SlowStartSince { get; internal set; }

    /// <summary>The peer's <see cref="Peer.Sid"/> as it was last compiled: its route, else nginx's name of its address.</summary>
    [AllowNull]
    public string Sid
    {
        get => field ?? AddressSid;
        internal set;
    }

    /// <summary>nginx's name of its address; made when it is first asked for, since few are.</summary>
    internal string AddressSid => field ??= PeerNames.Sid(key.Address);

    /// <summary>What opaque cookies call the peer. Made once for a set of keys, since every change of a neighbour asks for it again.</summary>
    internal ImmutableArray<string> Tokens(AffinityKeys keys)
    {
        if (_tokens is not { } known || known.Keys != keys)
            _tokens = known = new(keys, [.. keys.All.Select(one => one.Token(Upstream.Name, key.Id))]);

        return known.Tokens;
    }

    /// <summary>It has been part of a published upstream, so it is not new any more.</summary>
    internal bool Admitted { get; set; }

    /// <summary>An active check says that it must not be used. Written by <see cref="PeerAccounting.SetHealth"/>.</summary>
    public bool Unhealthy { get; internal set; }

    /// <summary>It is <see cref="Unhealthy"/> only because its first check has not ended yet.</summary>
    public bool Checking { get; internal set; }

    /// <summary>The check that its health is by, as <see cref="HealthCheckSettings.Source"/>; null: none.</summary>
    internal object? CheckedBy { get; set; }

    /// <summary>Checks in a row that came to the same: above zero passed, below zero failed.</summary>
    internal int ChecksInARow { get; set; }

    /// <summary>Average milliseconds to the response header.</summary>
    public long HeaderTime { get; internal set; }

    /// <summary>Average milliseconds to the end of the response.</summary>
    public long ResponseTime { get; internal set; }

    /// <summary>For least_time with inflight: requests without an answer.</summary>
    public long InflightRequests { get; internal set; }

    /// <summary>Their average time so far, in milliseconds.</summary>
    public long InflightTime { get; internal set; }

    /// <summary>Their summed time in milliseconds, when last brought up to date.</summary>
    public long InflightLast { get; internal set; }

    /// <summary>Unix milliseconds when that was.</summary>
    public long InflightChanged { get; internal set; }

    /// <summary>The index of a balancer that is to hear of every change; null: none follows it now.</summary>
    internal IPeerIndex? Index { get; set; }

    /// <summary>The peer's position in the group that <see cref="Index"/> is of.</summary>
    internal int Slot { get; set; }

    /// <summary>Selections since the peer exists.</summary>
    public long SelectedTotal { get; internal set; }

    /// <summary>Failures since the peer exists.</summary>
    public long FailedTotal { get; internal set; }

    /// <summary>Unix milliseconds of the last selection; 0: none yet.</summary>
    public long LastSelected { get; internal set; }

    /// <summary>An estimate of the clients bound to it by cookie; 0 until one was counted.</summary>
    /// <param name="now">Unix seconds.</param>
    public long EstimateClients(long now) => Volatile.Read(ref _clients)?.Estimate(now) ?? 0;

    /// <summary>Counts a client bound to it by cookie; null: one on a unix socket.</summary>
    /// <param name="now">Unix seconds.</param>
    /// <param name="window">Seconds for which a client counts; another one than before starts anew.</param>
    internal void CountClient(IPAddress? client, long now, long window)
    {
        var clients = Volatile.Read(ref _clients);
        if (clients is null || clients.Window != window)
        {
            clients = new(window);
            Volatile.Write(ref _clients, clients);
        }

        clients.Add((uint)(client?.GetHashCode() ?? 0), now);
    }

    /// <summary>Connections to it that are open and carry no request now.</summary>
    public int IdleConnections => Math.Max(0, Volatile.Read(ref _connections) - Conns);

    /// <summary>A connection to it was opened. From any thread.</summary>
    public void ConnectionOpened() => Interlocked.Increment(ref _connections);

    /// <summary>A connection to it was closed. From any thread.</summary>
    public void ConnectionClosed() => Interlocked.Decrement(ref _connections);

    /// <summary>Makes <see cref="CurrentWeight"/> current, for somebody who is going to read or change it.</summary>
    internal void Claim() => Index?.Release();

    /// <summary>To be called after any change that a balancer's index may depend on.</summary>
    internal void Changed() => Index?.Changed(Slot);
}

/// <summary>What a balancer has worked out from the states of a group's peers, kept up to date as long as it holds them.</summary>
internal interface IPeerIndex
{
    /// <summary>The state of the peer at that position of the group has changed.</summary>
    void Changed(int slot);

    /// <summary>Writes back what only it knows and forgets the peers; somebody else is going to change them.</summary>
    void Release();
}

/// <summary>A peer's name by each of these keys, in their order.</summary>
internal sealed record PeerTokens(AffinityKeys Keys, ImmutableArray<string> Tokens);
