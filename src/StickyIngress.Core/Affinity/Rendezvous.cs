using System.IO.Hashing;
using System.Runtime.InteropServices;
using StickyIngress.Core.Sessions;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Affinity;

/// <summary>
/// Highest random weight (Thaler and Ravishankar): each peer draws a number from the session's key and its own id, and the highest
/// has the session. Whoever knows the same peers comes to the same one, and a peer that goes moves its own sessions alone.
/// Costs a hash for each peer.
/// </summary>
internal static class Rendezvous
{
    /// <summary>The available peer of the group in use that the session belongs to; null: none is available.</summary>
    /// <param name="now">Unix seconds.</param>
    public static Peer? Pick(Selection selection, long now)
    {
        Peer? best = null;
        var highest = double.NegativeInfinity;
        foreach (var peer in selection.Group.Peers)
        {
            if (!PeerAccounting.IsAvailable(peer, selection, now)) continue;

            var score = Score(selection.Session.Key, peer);
            if (score > highest) (best, highest) = (peer, score);
        }

        return best;
    }

    /// <summary>With this a peer of weight 2 has twice as many sessions: a draw of u in (0, 1) counts as -weight / ln u.</summary>
    private static double Score(in SessionKey key, Peer peer)
    {
        var drawn = XxHash3.HashToUInt64(MemoryMarshal.AsBytes(peer.Id.Value.AsSpan()), (long)(key.High ^ key.Low));
        var u = ((drawn >> 11) + 0.5) / (1UL << 53);
        return -peer.Weight / Math.Log(u);
    }
}
