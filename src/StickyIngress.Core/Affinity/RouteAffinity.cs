using System.Collections.Immutable;
using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;

namespace StickyIngress.Core.Affinity;

/// <summary>
/// nginx sticky route: the first of some values of the request that is not empty names the peer, by its route or MD5;
/// nothing is issued.
/// </summary>
public sealed class RouteAffinity : IAffinity
{
    private readonly ImmutableArray<Template> _from;
    private readonly Bindings _bySid;
    private readonly FormerNames _former;

    /// <param name="state">Of the upstream that has these groups.</param>
    public RouteAffinity(ImmutableArray<Template> from, UpstreamState state, PeerGroup primaries, PeerGroup backups)
    {
        _from = from;
        _bySid = Bindings.BySid(primaries, backups);
        _former = new(state, static peer => [peer.Sid]);
    }

    public AffinityMode Mode => AffinityMode.Route;

    public void Bind(Selection selection)
    {
        if (selection.AffinityRead) return;

        selection.AffinityRead = true;
        if (!FirstValue.TryRead(_from, selection.Values, out var route)) return;

        selection.Presented = true;
        selection.Binding = _bySid.Find(route);
        if (selection.Binding is not null) return;

        if (_former.Contains(route)) selection.Binding = Binding.Gone;
        else selection.Unbound = BreakReason.Unknown;
    }

    public Peer? Find(ReadOnlySpan<char> presented) =>
        _bySid.Find(presented) is { } binding ? binding.Primary ?? binding.Backup : null;

    public void Selected(Selection selection, Peer peer)
    {
    }

    public void HeaderReceived(Selection selection, Peer peer)
    {
    }

    public void Released(Selection selection, Peer peer, TryOutcome outcome)
    {
    }
}
