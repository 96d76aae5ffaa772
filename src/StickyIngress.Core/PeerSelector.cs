using StickyIngress.Core.Affinity;
using StickyIngress.Core.Balancing;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core;

/// <summary>The whole decision which peer serves a try: affinity first, then the balancer; counted in before it is told.</summary>
public sealed class PeerSelector(Clock clock)
{
    /// <summary>Selects a peer for the next try of the request.</summary>
    public Selected Select(Selection selection) => Select(selection, Patience.None);

    /// <summary>The same for a request that may wait in the upstream's queue, which is told by <see cref="SelectedKind.Wait"/>.</summary>
    internal Selected Select(Selection selection, Patience patience)
    {
        var upstream = selection.Upstream;
        upstream.Affinity?.Bind(selection);
        upstream.Balancer.Prepare(selection);

        Peer? peer;
        BreakReason reason;
        long now;
        TimeMeasure? inflight = null;
        lock (upstream.State.Gate)
        {
            now = clock.Milliseconds;
            reason = selection.Binding is { } binding ? Hindrance(binding, selection, now / 1000) : selection.Unbound;
            if (patience != Patience.None && reason == BreakReason.PeerFull) return Selected.Wait(selection.Binding!.In(selection.Group)!.State);
            if (MustRefuse(selection, reason) && reason != BreakReason.PeerBackup) return Refuse(selection, reason);
            if (patience == Patience.Arriving && MustStandInLine(selection, reason)) return Selected.Wait(null);

            peer = UsableTied(selection, now / 1000) ?? Alike(selection, now / 1000) ?? upstream.Balancer.Pick(selection, now);
            if (peer is null) return patience == Patience.None ? Selected.NoLive : Selected.Wait(null);
            if (MustRefuse(selection, reason) && selection.Binding?.In(selection.Group) != peer)
                return Refuse(selection, reason);

            if (!selection.Group.Single) inflight = (upstream.Balancer as LeastTimeBalancer)?.InflightUntil;
            if (inflight is not null) ResponseTimes.BeginInflight(peer.State, now);
            PeerAccounting.CountIn(peer, selection, now);
        }

        Judge(selection, peer, reason);
        upstream.Affinity?.Selected(selection, peer);
        return new(new PeerLease(selection, peer, clock, now, inflight), SelectedKind.Peer);
    }

    /// <summary>A client must not get another peer than its own. Its own may be a backup that is only reached by picking.</summary>
    private static bool MustRefuse(Selection selection, BreakReason reason) =>
        reason != BreakReason.None && selection.Upstream.FailStatus is not null && selection.Binding is not null;

    /// <summary>Others wait already, and it has no usable peer of its own.</summary>
    private static bool MustStandInLine(Selection selection, BreakReason reason) =>
        selection.Upstream.State.Queue.HasLine && (selection.Binding is null || reason != BreakReason.None);

    private static Selected Refuse(Selection selection, BreakReason reason)
    {
        selection.Outcome = AffinityOutcome.Rejected;
        if (selection.Reason == BreakReason.None) selection.Reason = reason;
        return Selected.Rejected;
    }

    private static Peer? Alike(Selection selection, long now) => selection.BoundAlike ? Rendezvous.Pick(selection, now) : null;

    private static Peer? UsableTied(Selection selection, long now)
    {
        if (selection.Tied is not { } tied) return null;

        foreach (var peer in selection.Group.Peers)
        {
            if (peer.State == tied) return PeerAccounting.Hindrance(peer, selection, now) == BreakReason.None ? peer : null;
        }

        return null;
    }

    /// <summary>Why the bound peer cannot be used in this selection; None: it can.</summary>
    private static BreakReason Hindrance(Binding binding, Selection selection, long now)
    {
        if (binding.In(selection.Group) is { } bound)
            return PeerAccounting.Hindrance(bound, selection, now);

        return binding.Primary is null && binding.Backup is null ? BreakReason.PeerGone : BreakReason.PeerBackup;
    }

    /// <summary>Settles outcome and reason; of several tries the first broken one gives the reason.</summary>
    private static void Judge(Selection selection, Peer peer, BreakReason reason)
    {
        if (selection.Upstream.Affinity is null) return;

        if (!selection.Presented)
        {
            selection.Outcome = AffinityOutcome.New;
        }
        else if (selection.Binding?.In(selection.Group) == peer)
        {
            (selection.Outcome, selection.Reason) = (AffinityOutcome.Kept, BreakReason.None);
        }
        else
        {
            selection.Outcome = AffinityOutcome.Rebound;
            if (selection.Reason == BreakReason.None) selection.Reason = reason;
        }
    }
}

/// <summary>What a selection came to.</summary>
/// <param name="Lease">The peer, counted in; null unless <paramref name="Kind"/> is Peer.</param>
/// <param name="Awaited">For Wait: the only peer that will do; null: any.</param>
public readonly record struct Selected(PeerLease? Lease, SelectedKind Kind, PeerState? Awaited = null)
{
    public static Selected NoLive { get; } = new(null, SelectedKind.NoLive);

    public static Selected Rejected { get; } = new(null, SelectedKind.Rejected);

    internal static Selected Wait(PeerState? awaited) => new(null, SelectedKind.Wait, awaited);
}

public enum SelectedKind
{
    Peer,

    /// <summary>No peer is available.</summary>
    NoLive,

    /// <summary>The client's own peer is unavailable and it must not get another.</summary>
    Rejected,

    /// <summary>No peer is available now, but the request may wait for one.</summary>
    Wait,
}

/// <summary>Whether a request may wait for a peer.</summary>
internal enum Patience
{
    /// <summary>It may not.</summary>
    None,

    /// <summary>It may, behind those who wait already.</summary>
    Arriving,

    /// <summary>It has waited, and it is its turn.</summary>
    Waiting,
}
