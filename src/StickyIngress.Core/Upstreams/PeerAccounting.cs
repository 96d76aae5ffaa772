using StickyIngress.Core.Affinity;

namespace StickyIngress.Core.Upstreams;

/// <summary>
/// nginx's rules of when a peer may be used and what selecting and releasing it changes. All of it is called with the upstream's
/// <see cref="UpstreamState.Gate"/> held; times are Unix seconds.
/// </summary>
public static class PeerAccounting
{
    /// <summary>May an unbound request get this peer?</summary>
    public static bool IsAvailable(Peer peer, Selection selection, long now) =>
        !peer.Draining && Hindrance(peer, selection, now) == BreakReason.None;

    /// <summary>Why even a request bound to the peer cannot have it; None: it can. Draining is no hindrance.</summary>
    public static BreakReason Hindrance(Peer peer, Selection selection, long now)
    {
        var state = peer.State;
        if (peer.Down) return BreakReason.PeerDown;
        if (state.Unhealthy) return BreakReason.PeerUnhealthy;
        if (peer.MaxConns > 0 && state.Conns >= peer.MaxConns) return BreakReason.PeerFull;
        if (selection.Group.Single) return BreakReason.None;
        if (selection.HasTried(peer)) return BreakReason.PeerFailed;
        if (IsSuspended(peer, now)) return BreakReason.PeerSuspended;

        return BreakReason.None;
    }

    /// <summary>Out after failures: enough of them, and the last one or the last probe less than failTimeout ago.</summary>
    public static bool IsSuspended(Peer peer, long now) =>
        peer.MaxFails > 0 && peer.State.Fails >= peer.MaxFails && now - peer.State.Checked <= peer.FailTimeoutSeconds;

    internal static void CountIn(Peer peer, Selection selection, long now)
    {
        var state = peer.State;
        state.Conns++;
        state.SelectedTotal++;
        if (selection.Group.Single) return;

        selection.MarkTried(peer);
        if (now - state.Checked > peer.FailTimeoutSeconds) state.Checked = now;
    }

    internal static void CountOut(Peer peer, Selection selection, bool single, TryOutcome outcome, long now)
    {
        var state = peer.State;
        state.Conns--;
        if (outcome == TryOutcome.Failed) state.FailedTotal++;

        if (single)
        {
            state.Fails = 0;
            selection.Tries = 0;
            return;
        }

        if (outcome == TryOutcome.Failed)
        {
            state.Fails++;
            state.Accessed = state.Checked = now;
            if (peer.MaxFails > 0)
                state.LostWeight = Math.Min(peer.Weight, state.LostWeight + (peer.Weight / peer.MaxFails));
        }
        else if (state.Accessed < state.Checked)
        {
            state.Fails = 0;
        }

        if (selection.Tries > 0) selection.Tries--;
    }
}
