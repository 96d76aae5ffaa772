using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Affinity;

/// <summary>
/// nginx sticky cookie: the proxy gives the client a cookie that names its peer. Whatever the client makes of it, it is
/// either one of this upstream's names or none: then the request is balanced as a new one.
/// </summary>
/*
 * Opaque values, by what is configured:
 *   TOKEN            22 characters, see AffinityKey.
 *   TOKEN.hhhhhhhh   with expires: Unix seconds of its issue in hexadecimal, so that it is issued again at half of its
 *                    time. Nothing is decided by it but when to issue, so it need not be authentic.
 *   sealed           with idleTimeout or absoluteTimeout: token and times, encrypted; the only opaque form that is then
 *                    accepted, since the others would be a way around the times. It is understood without the
 *                    timeouts too, so they can be switched off.
 */
public sealed class CookieAffinity : IAffinity
{
    /// <summary>The longest value that is looked at; ours and nginx's are shorter.</summary>
    private const int LongestValue = 128;

    /// <summary>The tickets of so many are made by the first request, in microseconds: most of many upstreams wait long for one. Of more they are made before.</summary>
    private const int FewPeers = 32;

    private const int StampedLength = AffinityKey.TokenLength + 1 + 8;

    private readonly CookieSettings _settings;
    private readonly AffinityKeys _keys;
    private readonly Clock _clock;
    private readonly Lazy<CookieTickets> _tickets;
    private readonly CookieWriter _writer;
    private readonly byte[] _context;
    private readonly long _renewAfter;
    private readonly long _clientWindow;

    /// <param name="state">Of the upstream that has these groups; its name goes into opaque values.</param>
    public CookieAffinity(
        CookieSettings settings, AffinityKeys keys, Clock clock, UpstreamState state, PeerGroup primaries, PeerGroup backups)
    {
        (_settings, _keys, _clock) = (settings, keys, clock);
        _tickets = new(() => new(settings, keys, state, primaries, backups));
        if (primaries.Peers.Length + backups.Peers.Length > FewPeers) _ = _tickets.Value;
        _writer = new(settings);
        _context = Encoding.UTF8.GetBytes(state.Name.ToString());

        var expires = settings.Expires is { } time && time != CookieSettings.Max ? Seconds(time) : long.MaxValue;
        _renewAfter = Math.Min(expires / 2, settings.IdleTimeout is { } idle ? Seconds(idle) / 4 : long.MaxValue);
        _clientWindow = expires == long.MaxValue ? ClientEstimate.DefaultWindow : Math.Max(1, expires);
    }

    public AffinityMode Mode => AffinityMode.Cookie;

    public void Bind(Selection selection)
    {
        if (selection.AffinityRead) return;

        selection.AffinityRead = true;
        if (!selection.Values.TryGetCookie(_settings.Name, out var value) || value.IsEmpty) return;

        selection.Presented = true;
        var reason = value.Length > LongestValue ? BreakReason.Unknown : Read(value, selection);
        if (reason != BreakReason.PeerGone)
        {
            selection.Unbound = reason;
            return;
        }

        // A client that must not get another peer would otherwise be refused for as long as it keeps the cookie.
        selection.Binding = Binding.Gone;
        if (selection.Upstream.FailStatus is not null && !_settings.PeersReturn) selection.SetCookie = _writer.WriteRemoval(selection.Values);
    }

    public void Selected(Selection selection, Peer peer)
    {
        var now = _clock.Seconds;
        peer.State.CountClient(selection.Values.ClientAddress, now, _clientWindow);

        var ticket = _tickets.Value[peer];
        var same = ReferenceEquals(ticket.Binding, selection.Binding);
        var due = !same || selection.Cookie.Renew || _settings.Issue == CookieIssuing.Always;
        selection.SetCookie = due ? Write(ticket, same ? selection.Cookie.Issued : now, selection.Values, now) : null;
    }

    public void HeaderReceived(Selection selection, Peer peer)
    {
    }

    public void Released(Selection selection, Peer peer, TryOutcome outcome)
    {
    }

    /// <summary>An estimate of the distinct clients in the last expires or ten minutes, by their addresses.</summary>
    public long BoundTo(Peer peer) => peer.State.EstimateClients(_clock.Seconds);

    public Peer? Find(ReadOnlySpan<char> presented)
    {
        Span<char> opened = stackalloc char[AffinityKey.TokenLength];
        var token = presented.Length == AffinityKey.SealedLength && TryOpen(presented, opened, out _) ? opened : TokenOf(presented);
        var binding = _tickets.Value.TryFindToken(token, out var found) ? found.Binding : _tickets.Value.FindSid(presented);
        return binding?.Primary ?? binding?.Backup;
    }

    private static long Seconds(TimeSpan time) => time.Ticks / TimeSpan.TicksPerSecond;

    /// <summary>Sets binding and cookie of the selection; why the value names no peer, or None.</summary>
    private BreakReason Read(ReadOnlySpan<char> value, Selection selection)
    {
        if (_settings.Understands(CookieForm.Opaque))
        {
            if (value.Length == AffinityKey.SealedLength) return ReadSealed(value, selection);
            if (!_settings.Sealed && TryReadToken(value, selection)) return BreakReason.None;
        }

        if (_tickets.Value.FindSid(value) is not { } binding)
            return _tickets.Value.WasPeer(TokenOf(value)) ? BreakReason.PeerGone : BreakReason.Unknown;

        selection.Binding = binding;
        selection.Cookie = new(Renew: _settings.Form != CookieForm.NginxSid || _settings.Expires is not null, _clock.Seconds);
        return BreakReason.None;
    }

    private bool TryReadToken(ReadOnlySpan<char> value, Selection selection)
    {
        var token = TokenOf(value);
        if (!_tickets.Value.TryFindToken(token, out var found)) return false;

        var now = _clock.Seconds;
        var renew = found.Key > 0 || _settings.Form != CookieForm.Opaque;
        if (!renew && HasStamp)
        {
            var fresh = value.Length == StampedLength
                && uint.TryParse(value[(AffinityKey.TokenLength + 1)..], NumberStyles.AllowHexSpecifier, null, out var issued)
                && issued <= now && now - issued < _renewAfter;
            renew = !fresh;
        }

        selection.Binding = found.Binding;
        selection.Cookie = new(renew, now);
        return true;
    }

    private BreakReason ReadSealed(ReadOnlySpan<char> value, Selection selection)
    {
        Span<char> token = stackalloc char[AffinityKey.TokenLength];
        if (!TryOpen(value, token, out var times)) return BreakReason.Unknown;

        var now = _clock.Seconds;
        if (_settings.IdleTimeout is { } idle && now - times.Seen > Seconds(idle)) return BreakReason.Expired;
        if (_settings.AbsoluteTimeout is { } absolute && now - times.Issued > Seconds(absolute)) return BreakReason.Expired;
        if (!_tickets.Value.TryFindToken(token, out var found))
            return _tickets.Value.WasPeer(token) ? BreakReason.PeerGone : BreakReason.Unknown;

        selection.Binding = found.Binding;
        selection.Cookie = new(found.Key > 0 || !_settings.Sealed || now - times.Seen >= _renewAfter, times.Issued);
        return BreakReason.None;
    }

    private bool TryOpen(ReadOnlySpan<char> value, Span<char> token, out SealedTimes times)
    {
        foreach (var key in _keys.All)
            if (key.TryOpen(value, _context, token, out times)) return true;

        times = default;
        return false;
    }

    private bool HasStamp => !_settings.Sealed && _settings.Expires is { } expires && expires != CookieSettings.Max;

    private static ReadOnlySpan<char> TokenOf(ReadOnlySpan<char> value) =>
        value.Length == StampedLength && value[AffinityKey.TokenLength] == '.' ? value[..AffinityKey.TokenLength] : value;

    private string Write(CookieTicket ticket, long issued, RequestValues request, long now)
    {
        if (_settings.Sealed)
            return _writer.Write(_keys.All[0].Seal(ticket.Value, new(issued, now), _context), request, now);
        if (_settings.Form == CookieForm.Opaque && HasStamp)
            return _writer.Write($"{ticket.Value}.{(uint)now:x8}", request, now);
        if (!_writer.IsConstant) return _writer.Write(ticket.Value, request, now);

        return ticket.Constant(_writer.IsSecure(request)) ??= _writer.Write(ticket.Value, request, now);
    }
}

/// <summary>What cookie affinity read from the cookie of a request.</summary>
/// <param name="Renew">It is to be issued again though it names the right peer.</param>
/// <param name="Issued">Unix seconds when the binding was made.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct CookieSeen(bool Renew, long Issued);
