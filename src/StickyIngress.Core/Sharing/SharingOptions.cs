namespace StickyIngress.Core.Sharing;

/// <summary>How much sharing may cost, and how it behaves when the store is away.</summary>
public sealed record SharingOptions
{
    /// <summary>How long a request waits at most to learn whether another replica knows its session.</summary>
    public TimeSpan ReadBudget { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Requests that wait so at a time; others are served as if nobody knew their session.</summary>
    public int MaxReads { get; init; } = 256;

    /// <summary>Sessions that wait to be written at most, half of them for parts of the store that are away.</summary>
    public int MaxPending { get; init; } = 131_072;

    /// <summary>When the answer to a write is given up.</summary>
    public TimeSpan WriteTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often the store is probed.</summary>
    public TimeSpan ProbeInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How many known sessions are offered again in a second when the store has come back.</summary>
    public int ReofferedPerSecond { get; init; } = 10_000;
}
