using System.Net;

namespace StickyIngress.Core.Upstreams;

/// <summary>
/// What is counted about a peer while it serves; it lives as long as the peer exists, through any number of snapshots. Written
/// under the <see cref="UpstreamState.Gate"/>; metrics read it without, a figure at a time.
/// </summary>
public sealed class PeerState(UpstreamState upstream, int ordinal)
{
    private ClientEstimate? _clients;

    public UpstreamState Upstream { get; } = upstream;

    /// <summary>Number of the peer's <see cref="PeerId"/> in its upstream, as the session table keeps it.</summary>
    public int Ordinal { get; } = ordinal;

    /// <summary>nginx current_weight: what smooth round robin has saved up for it.</summary>
    public long CurrentWeight { get; set; }

    /// <summary>What failures took off its weight; nginx's effective_weight is the weight less this.</summary>
    public long LostWeight { get; set; }

    /// <summary>Requests that hold it now.</summary>
    public int Conns { get; set; }

    /// <summary>Failures that count now.</summary>
    public int Fails { get; set; }

    /// <summary>Unix seconds of the last failure.</summary>
    public long Accessed { get; set; }

    /// <summary>Unix seconds of the last failure, or of the first selection more than failTimeout after it.</summary>
    public long Checked { get; set; }

    /// <summary>Unix milliseconds since when its weight grows; 0: it has its full weight.</summary>
    public long SlowStartSince { get; set; }

    /// <summary>An active check says that it must not be used.</summary>
    public bool Unhealthy { get; set; }

    /// <summary>Average milliseconds to the response header.</summary>
    public long HeaderTime { get; set; }

    /// <summary>Average milliseconds to the end of the response.</summary>
    public long ResponseTime { get; set; }

    /// <summary>For least_time with inflight: requests without an answer.</summary>
    public long InflightRequests { get; set; }

    /// <summary>Their average time so far, in milliseconds.</summary>
    public long InflightTime { get; set; }

    /// <summary>Their summed time in milliseconds, when last brought up to date.</summary>
    public long InflightLast { get; set; }

    /// <summary>Unix milliseconds when that was.</summary>
    public long InflightChanged { get; set; }

    /// <summary>Selections since the peer exists.</summary>
    public long SelectedTotal { get; set; }

    /// <summary>Failures since the peer exists.</summary>
    public long FailedTotal { get; set; }

    /// <summary>Unix milliseconds of the last selection; 0: none yet.</summary>
    public long LastSelected { get; set; }

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
}
