using System.Collections.Immutable;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Affinity;

/// <summary>
/// The cookie values of an upstream's peers, made once when the upstream is compiled: per request they are looked up
/// and nothing is computed. Values of other upstreams are not in it, so no cookie leads out of its upstream.
/// </summary>
internal sealed class CookieTickets
{
    private readonly ImmutableArray<CookieTicket> _primaries;
    private readonly ImmutableArray<CookieTicket> _backups;
    private readonly Dictionary<string, TicketToken> _byToken;
    private readonly Bindings? _bySid;
    private readonly FormerNames _former;

    public CookieTickets(CookieSettings settings, AffinityKeys keys, UpstreamState state, PeerGroup primaries, PeerGroup backups)
    {
        var opaque = settings.Understands(CookieForm.Opaque);
        var nginx = settings.Understands(CookieForm.NginxSid);
        var bindings = opaque ? Bindings.Collect(primaries, backups, static peer => peer.Id.Value) : [];
        var tickets = new Dictionary<string, CookieTicket>(bindings.Count);
        var byToken = new Dictionary<string, TicketToken>(bindings.Count * keys.All.Length);
        foreach (var (id, binding) in bindings)
        {
            var tokens = (binding.Primary ?? binding.Backup)!.State.Tokens(keys);
            for (var key = 0; key < tokens.Length; key++) byToken.Add(tokens[key], new(binding, key));
            tickets.Add(id, new(binding, tokens[0]));
        }

        if (nginx) _bySid = Bindings.BySid(primaries, backups);

        Func<Peer, CookieTicket> ticketOf = peer => tickets[peer.Id.Value];
        if (settings.Form == CookieForm.NginxSid)
        {
            tickets = _bySid!.All.ToDictionary(entry => entry.Key, entry => new CookieTicket(entry.Value, entry.Key));
            ticketOf = peer => tickets[peer.Sid];
        }

        _byToken = byToken;
        _former = new(state, peer => (opaque ? keys.All.Select(key => key.Token(state.Name, peer.Id)) : []).Concat(nginx ? [peer.Sid] : []));
        _primaries = [.. primaries.Peers.Select(ticketOf)];
        _backups = [.. backups.Peers.Select(ticketOf)];
    }

    public CookieTicket this[Peer peer] => peer.Backup ? _backups[peer.Index] : _primaries[peer.Index];

    /// <summary>Which peers a token names, and by which key it was made.</summary>
    public bool TryFindToken(ReadOnlySpan<char> token, out TicketToken found) =>
        _byToken.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(token, out found);

    /// <summary>
    /// Which peers have that identity of nginx's; null where none has, or the form is not understood.
    /// </summary>
    public Binding? FindSid(ReadOnlySpan<char> sid) => _bySid?.Find(sid);

    /// <summary>Whether the token or identity was a former peer's.</summary>
    public bool WasPeer(ReadOnlySpan<char> value) => _former.Contains(value);
}

/// <param name="Key">Position of the key that made it; 0 is the one that issues.</param>
internal readonly record struct TicketToken(Binding Binding, int Key);

/// <summary>What is issued for a peer.</summary>
/// <param name="value">The token or nginx's identity.</param>
internal sealed class CookieTicket(Binding binding, string value)
{
    private string? _plain;
    private string? _secure;

    public Binding Binding => binding;

    public string Value => value;

    /// <summary>The whole Set-Cookie value where it is always the same: kept when it was first written.</summary>
    public ref string? Constant(bool secure)
    {
        if (secure) return ref _secure;
        return ref _plain;
    }
}
