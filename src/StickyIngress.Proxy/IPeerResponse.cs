namespace StickyIngress.Proxy;

/// <summary>What variables may read of a peer's response, whichever forwarder got it.</summary>
internal interface IPeerResponse
{
    /// <summary>All values of that header, several joined as in nginx; null where it has none.</summary>
    string? Header(string name);

    /// <summary>The same of the trailers, once they are here.</summary>
    string? Trailer(string name);

    /// <summary>The Set-Cookie headers in order.</summary>
    IEnumerable<string> SetCookies { get; }
}
