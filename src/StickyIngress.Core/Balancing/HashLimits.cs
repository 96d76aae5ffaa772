namespace StickyIngress.Core.Balancing;

/// <summary>What all methods that draw or probe have in common.</summary>
internal static class HashLimits
{
    /// <summary>Misses in one request; after one more it goes on by round robin.</summary>
    public const int Misses = 20;

    /// <summary>Counts a miss; true: that was one too many.</summary>
    public static bool Exhausted(ref HashProgress progress) => ++progress.Misses > Misses;
}
