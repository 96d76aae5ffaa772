using StickyIngress.Core.Affinity;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Tests.Affinity;

/// <summary>A client that comes back to the peer it is bound to.</summary>
internal static class KeptClient
{
    /// <summary>The bytes that a request of it allocates in its affinity, once everything has run before.</summary>
    public static long AllocatedBy(Selection selection, Peer peer)
    {
        Keep(selection, peer);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Keep(selection, peer);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static void Keep(Selection selection, Peer peer)
    {
        var affinity = selection.Upstream.Affinity!;
        selection.AffinityRead = false;
        affinity.Bind(selection);
        affinity.Selected(selection, peer);
        affinity.HeaderReceived(selection, peer);
        affinity.Released(selection, peer, TryOutcome.Ok);
        Assert.Same(peer, selection.Binding!.Primary);
    }
}
