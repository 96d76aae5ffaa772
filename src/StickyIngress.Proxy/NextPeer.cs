using StickyIngress.Core.Upstreams;
using StickyIngress.Proxy.Tries;

namespace StickyIngress.Proxy;

/// <summary>May a request that got no good answer go to the next peer? nginx's <c>proxy_next_upstream</c>, to the letter.</summary>
internal static class NextPeer
{
    /// <summary>Asked when a response's header arrives, with the current try still counted in <c>Tries</c>.</summary>
    public static bool AfterStatus(ProxyRequest request, PeerTry @try, int status) =>
        GoesOn(request, @try, status) || request.Caching?.TakesOver(status) == true;

    private static bool GoesOn(ProxyRequest request, PeerTry @try, int status) =>
        request.Selection!.Tries > 1 && MayRepeat(request, @try, Condition(status));

    /// <summary>Asked when a failed try has been released.</summary>
    public static bool AfterFailure(ProxyRequest request, PeerTry @try, TryEnd end) =>
        request.Selection!.Tries > 0 && MayRepeat(request, @try, end.Condition());

    /// <summary>403 and 404 send a request on without counting against the peer.</summary>
    public static bool CountsAsFailure(int status) => status is not (403 or 404);

    private static bool MayRepeat(ProxyRequest request, PeerTry @try, NextUpstreamOn condition)
    {
        var next = request.Settings.NextUpstream;
        if (condition == NextUpstreamOn.None || !next.On.HasFlag(condition)) return false;
        if (@try.RequestSent && !request.IsIdempotent && !next.On.HasFlag(NextUpstreamOn.NonIdempotent)) return false;
        if (@try.RequestSent && !request.CanReplayBody) return false;

        return next.Timeout == TimeSpan.Zero || request.ElapsedMilliseconds < next.Timeout.TotalMilliseconds;
    }

    private static NextUpstreamOn Condition(int status) => status switch
    {
        500 => NextUpstreamOn.Http500,
        502 => NextUpstreamOn.Http502,
        503 => NextUpstreamOn.Http503,
        504 => NextUpstreamOn.Http504,
        403 => NextUpstreamOn.Http403,
        404 => NextUpstreamOn.Http404,
        429 => NextUpstreamOn.Http429,
        _ => NextUpstreamOn.None,
    };
}
