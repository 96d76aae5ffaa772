using StickyIngress.Core.Affinity;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core;

/// <summary>The whole decision which peer serves a try: affinity first, then the balancer; counted in before it is told.</summary>
public sealed class PeerSelector(Clock clock)
{
    /// <summary>Selects a peer for the next try of the request.</summary>
    public Selected Select(Selection selection)
    {
        var upstream = selection.Upstream;
        upstream.Affinity?.Bind(selection);

        Peer? peer;
        var reason = selection.Unbound;
        lock (upstream.State.Gate)
        {
            var milliseconds = clock.Milliseconds;
            var now = milliseconds / 1000;
            if (selection.Binding is { } binding) reason = Hindrance(binding, selection, now);
            if (reason != BreakReason.None && upstream.FailStatus is not null && selection.Binding is not null)
                return Refuse(selection, reason);

            peer = upstream.Balancer.Pick(selection, milliseconds);
            if (peer is null) return Selected.NoLive;

            PeerAccounting.CountIn(peer, selection, now);
        }

        Judge(selection, peer, reason);
        upstream.Affinity?.Selected(selection, peer);
        return new(new PeerLease(selection, peer, clock), SelectedKind.Peer);
    }

    private static Selected Refuse(Selection selection, BreakReason reason)
    {
        (selection.Outcome, selection.Reason) = (AffinityOutcome.Rejected, reason);
        return Selected.Rejected;
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
public readonly record struct Selected(PeerLease? Lease, SelectedKind Kind)
{
    public static Selected NoLive { get; } = new(null, SelectedKind.NoLive);

    public static Selected Rejected { get; } = new(null, SelectedKind.Rejected);
}

public enum SelectedKind
{
    Peer,

    /// <summary>No peer is available.</summary>
    NoLive,

    /// <summary>The client's own peer is unavailable and it must not get another.</summary>
    Rejected,
}
