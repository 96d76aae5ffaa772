using System.Runtime.CompilerServices;
using StickyIngress.Core.Affinity;

namespace StickyIngress.Core.Upstreams;

/// <summary>
/// nginx's rules of when a peer may be used and what selecting and releasing it changes. All of it is called with the upstream's
/// <see cref="UpstreamState.Gate"/> held, but for <see cref="SetHealth"/>, which takes it; <c>now</c> is Unix seconds.
/// </summary>
public static class PeerAccounting
{
    /// <summary>May an unbound request get this peer?</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // asked of every peer where a balancer looks at all
    public static bool IsAvailable(Peer peer, Selection selection, long now) =>
        !peer.Draining && Hindrance(peer, selection, now) == BreakReason.None;

    /// <summary>Why even a request bound to the peer cannot have it; None: it can. Draining is no hindrance.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // the same
    public static BreakReason Hindrance(Peer peer, Selection selection, long now)
    {
        var state = peer.State;
        if (peer.Down) return BreakReason.PeerDown;
        if (state.Unhealthy) return BreakReason.PeerUnhealthy;
        if (IsFull(peer)) return BreakReason.PeerFull;
        if (selection.Group.Single) return BreakReason.None;
        if (selection.HasTried(peer)) return BreakReason.PeerFailed;
        if (IsSuspended(peer, now)) return BreakReason.PeerSuspended;

        return BreakReason.None;
    }

    /// <summary>Out after failures: enough of them, and the last one or the last probe less than failTimeout ago.</summary>
    public static bool IsSuspended(Peer peer, long now) =>
        HasFailedEnough(peer) && now - peer.State.Checked <= peer.FailTimeoutSeconds;

    /// <summary>It has as many requests as it may have.</summary>
    public static bool IsFull(Peer peer) => peer.MaxConns > 0 && peer.State.Conns >= peer.MaxConns;

    /// <summary>What an active check says; a peer that becomes healthy starts slowly.</summary>
    public static void SetHealth(Peer peer, bool healthy, long nowMilliseconds)
    {
        var state = peer.State;
        lock (state.Upstream.Gate)
        {
            // One that passes its first check starts slowly only if it would have without the check.
            var startsSlowly = !state.Checking || state.SlowStartSince > 0;
            state.Checking = false;
            if (state.Unhealthy == !healthy) return;

            state.Unhealthy = !healthy;
            if (healthy && startsSlowly) SlowStart.Begin(peer, nowMilliseconds);
            state.Changed();
        }

        if (healthy) state.Upstream.Queue.Recovered();
        else state.Upstream.Queue.Lost(state);
    }

    /// <summary>The bound peer of the group in use, where it may be used.</summary>
    internal static Peer? UsableBound(Selection selection, long now) =>
        selection.Binding?.In(selection.Group) is { } bound && Hindrance(bound, selection, now) == BreakReason.None ? bound : null;

    /// <summary>
    /// Nothing but down and draining, which are fixed, keeps the peer from being used by anybody at its full weight; and only a
    /// change of its state can alter that, not the time.
    /// </summary>
    internal static bool IsUnimpaired(Peer peer) =>
        !peer.State.Unhealthy && !IsFull(peer) && !HasFailedEnough(peer) && peer.State is { LostWeight: 0, SlowStartSince: 0 };

    /// <summary>Unix milliseconds when the first of the suspended peers may be used again; null: none is suspended.</summary>
    internal static long? NextRecovery(Upstream upstream, long nowMilliseconds)
    {
        long? first = null;
        foreach (var peer in upstream.Peers)
        {
            if (peer.Down || peer.Draining || peer.State.Unhealthy || !IsSuspended(peer, nowMilliseconds / 1000)) continue;

            var at = (peer.State.Checked + peer.FailTimeoutSeconds + 1) * 1000;
            if (first is null || at < first) first = at;
        }

        return first;
    }

    internal static void CountIn(Peer peer, Selection selection, long nowMilliseconds)
    {
        var state = peer.State;
        state.Conns++;
        state.SelectedTotal++;
        state.LastSelected = nowMilliseconds;
        if (!selection.Group.Single)
        {
            var now = nowMilliseconds / 1000;
            selection.MarkTried(peer);
            if (now - state.Checked > peer.FailTimeoutSeconds) state.Checked = now;
        }

        state.Changed();
    }

    internal static void CountOut(Peer peer, Selection selection, bool single, TryOutcome outcome, long nowMilliseconds)
    {
        var state = peer.State;
        state.Conns--;
        if (outcome == TryOutcome.Failed) state.FailedTotal++;

        if (single)
        {
            state.Fails = 0;
            selection.Tries = 0;
        }
        else
        {
            if (outcome == TryOutcome.Failed) CountFailure(peer, nowMilliseconds / 1000);
            else if (state.Accessed < state.Checked) ForgiveFailures(peer, nowMilliseconds);

            if (selection.Tries > 0) selection.Tries--;
        }

        state.Changed();
        state.Upstream.Queue.Released(state);
    }

    private static bool HasFailedEnough(Peer peer) => peer.MaxFails > 0 && peer.State.Fails >= peer.MaxFails;

    private static void CountFailure(Peer peer, long now)
    {
        var state = peer.State;
        state.Fails++;
        state.Accessed = state.Checked = now;
        if (peer.MaxFails > 0)
            state.LostWeight = Math.Min(peer.Weight, state.LostWeight + (peer.Weight / peer.MaxFails));
    }

    /// <summary>It answered, after it was selected more than failTimeout after its last failure.</summary>
    private static void ForgiveFailures(Peer peer, long nowMilliseconds)
    {
        var wasSuspended = HasFailedEnough(peer);
        peer.State.Fails = 0;
        if (wasSuspended) SlowStart.Begin(peer, nowMilliseconds);
    }
}
