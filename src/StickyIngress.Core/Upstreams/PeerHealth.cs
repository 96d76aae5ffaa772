namespace StickyIngress.Core.Upstreams;

/// <summary>What active checks make of a peer: nginx's states checking, healthy and unhealthy.</summary>
public static class PeerHealth
{
    /// <summary>
    /// To be called for every upstream just before the snapshot with it is published, and before <see cref="SlowStart.Admit"/>.
    /// Known peers keep their health; those that must pass a check first are out from here on.
    /// </summary>
    public static void Admit(Upstream upstream)
    {
        lock (upstream.State.Gate)
        {
            foreach (var peer in upstream.Peers)
            {
                var state = peer.State;
                if (Equals(state.CheckedBy, upstream.HealthCheck?.Source)) continue;

                (state.CheckedBy, state.ChecksInARow) = (upstream.HealthCheck?.Source, 0);
                if (upstream.HealthCheck is not { } check)
                    (state.Unhealthy, state.Checking) = (false, false);
                else if (check.Mandatory && !(check.Persistent && state.Admitted))
                    (state.Unhealthy, state.Checking) = (true, true);

                state.Changed();
            }
        }
    }

    /// <summary>Counts the result of a check. True: the peer's health changed by it, or is known now for the first time.</summary>
    /// <param name="check">What the peer was checked by; where it is checked by something else now, the result says nothing.</param>
    public static bool Report(Peer peer, HealthCheckSettings check, bool passed, long nowMilliseconds)
    {
        var state = peer.State;
        lock (state.Upstream.Gate)
        {
            if (!Equals(state.CheckedBy, check.Source)) return false;

            state.ChecksInARow = passed ? Math.Max(0, state.ChecksInARow) + 1 : Math.Min(0, state.ChecksInARow) - 1;
            var decides = state.Checking || (passed
                ? state.Unhealthy && state.ChecksInARow >= check.Passes
                : !state.Unhealthy && state.ChecksInARow <= -check.Fails);
            if (decides) PeerAccounting.SetHealth(peer, passed, nowMilliseconds);
            return decides;
        }
    }
}
