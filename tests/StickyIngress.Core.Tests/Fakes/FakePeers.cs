using System.Collections.Immutable;
using System.Net;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Balancing;
using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;

namespace StickyIngress.Core.Tests.Fakes;

/// <summary>Peers and upstreams as a test wants them, by the real states.</summary>
internal static class FakePeers
{
    public static UpstreamName Shop { get; } = new("web", "shop");

    /// <summary>
    /// Peers named by letters: <c>a b c!</c>, where ! is draining and /down is down; with = a route, as in
    /// <c>a=one</c>.
    /// </summary>
    public static PeerGroup Group(UpstreamState state, string peers, bool backup = false)
    {
        var words = peers.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        ImmutableArray<Peer> all = [.. words.Select((word, index) => Create(state, word, index, backup))];
        return new(all, backup, single: !backup && all.Length == 1);
    }

    public static Peer Create(
        UpstreamState state, string word, int index, bool backup = false, int weight = 1, int maxFails = 0, int maxConns = 0, int? port = null)
    {
        var written = word.Split('/')[0].TrimEnd('!').Split('=');
        var id = written[0];
        var endPoint = new IPEndPoint(IPAddress.Loopback, port ?? (backup ? 2000 : 1000) + id[0]);
        var name = PeerNames.Format(endPoint);
        return new()
        {
            Index = index,
            Id = new(id),
            Name = name,
            Server = name,
            Sid = written.Length > 1 ? written[1] : PeerNames.Sid(name),
            Label = id,
            EndPoint = endPoint,
            State = state.Peer(new("web", new(id), name), written.Length > 1 ? written[1] : null),
            Weight = weight,
            MaxFails = maxFails,
            MaxConns = maxConns,
            Down = word.EndsWith("/down", StringComparison.Ordinal),
            Draining = word.EndsWith('!'),
            Backup = backup,
        };
    }

    public static Upstream Upstream(
        UpstreamState state, PeerGroup primaries, IAffinity? affinity, PeerGroup? backups = null, IBalancer? balancer = null, int? failStatus = null) => new()
        {
            Name = state.Name,
            State = state,
            Primaries = primaries,
            Backups = backups ?? PeerGroup.Empty,
            Balancer = balancer ?? new FirstFreeBalancer(),
            Affinity = affinity,
            FailStatus = failStatus,
        };

    public static Template Template(string text) =>
        Core.Variables.Template.TryParse(text, null, out var template, out var error) ? template : throw new ArgumentException(error);

    public static ImmutableArray<Template> Templates(params string[] texts) => [.. texts.Select(Template)];
}

/// <summary>The bound peer where it may be used, else the first that may.</summary>
internal sealed class FirstFreeBalancer : IBalancer
{
    public Peer? Pick(Selection selection, long nowMilliseconds)
    {
        var now = nowMilliseconds / 1000;
        var bound = selection.Binding?.In(selection.Group);
        if (bound is not null && PeerAccounting.Hindrance(bound, selection, now) == BreakReason.None) return bound;

        var free = selection.Group.Peers.FirstOrDefault(peer => PeerAccounting.IsAvailable(peer, selection, now));
        if (free is not null || selection.Group.Backup) return free;

        selection.MoveToBackups();
        return Pick(selection, nowMilliseconds);
    }
}
