namespace StickyIngress.Core.Upstreams;

/// <summary>
/// The averages that least_time compares, as nginx keeps them, in milliseconds. Called with the upstream's
/// <see cref="UpstreamState.Gate"/> held; times are Unix milliseconds.
/// </summary>
internal static class ResponseTimes
{
    /// <summary>A twentieth of the new sample and the rest of what was known; the first sample as it is.</summary>
    public static long Average(long average, long sample) =>
        average == 0 ? sample : (long)Math.Floor(0.5 + (0.05 * sample) + (0.95 * average));

    /// <summary>A request begins to wait for the peer.</summary>
    public static void BeginInflight(PeerState state, long now)
    {
        if (state.InflightRequests > 0) state.InflightLast += (now - state.InflightChanged) * state.InflightRequests;
        state.InflightChanged = now;
        state.InflightRequests++;
    }

    /// <summary>A request that waited since then waits no longer.</summary>
    public static void EndInflight(PeerState state, long startedAt, long now)
    {
        if (state.InflightRequests == 1)
        {
            state.InflightLast = 0;
        }
        else
        {
            state.InflightLast += ((now - state.InflightChanged) * state.InflightRequests) - (now - startedAt);
            state.InflightChanged = now;
        }

        state.InflightRequests--;
    }

    /// <summary>Takes how long the waiting ones have waited into their average.</summary>
    public static void SampleInflight(PeerState state, long now)
    {
        if (state.InflightRequests == 0) return;

        var waited = (state.InflightLast / state.InflightRequests) + (now - state.InflightChanged);
        state.InflightTime = Average(state.InflightTime, waited);
    }
}

/// <summary>Which time of a response counts.</summary>
public enum TimeMeasure
{
    Header,
    LastByte,
}
