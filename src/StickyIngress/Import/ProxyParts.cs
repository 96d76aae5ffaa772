using StickyIngress.Api;

namespace StickyIngress.Import;

/// <summary>What the settings of several locations have in common stands once, in spec.proxy.</summary>
internal static class ProxyParts
{
    /// <summary>The fields in which both agree. In the others neither may be inherited, so spec.proxy leaves them at their default.</summary>
    public static ProxySpec Common(ProxySpec a, ProxySpec b) => Each(a, b, keepEqual: true);

    /// <summary>The fields in which a location differs from what is shared.</summary>
    public static ProxySpec Without(ProxySpec own, ProxySpec shared) => Each(own, shared, keepEqual: false);

    private static ProxySpec Each(ProxySpec a, ProxySpec b, bool keepEqual)
    {
        T? Keep<T>(T? one, T? other) => EqualityComparer<T?>.Default.Equals(one, other) == keepEqual ? one : default;
        return new()
        {
            Protocol = Keep(a.Protocol, b.Protocol),
            Host = Keep(a.Host, b.Host),
            SetHeaders = Keep(a.SetHeaders, b.SetHeaders),
            ResponseHeaders = Keep(a.ResponseHeaders, b.ResponseHeaders),
            ConnectTimeout = Keep(a.ConnectTimeout, b.ConnectTimeout),
            SendTimeout = Keep(a.SendTimeout, b.SendTimeout),
            ReadTimeout = Keep(a.ReadTimeout, b.ReadTimeout),
            MaxBodySize = Keep(a.MaxBodySize, b.MaxBodySize),
            RequestBuffer = Keep(a.RequestBuffer, b.RequestBuffer),
            NextUpstream = Keep(a.NextUpstream, b.NextUpstream),
            Tls = Keep(a.Tls, b.Tls),
        };
    }
}
