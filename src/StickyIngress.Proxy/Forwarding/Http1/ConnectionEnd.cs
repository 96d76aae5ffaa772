namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>Why we ended a connection.</summary>
internal enum ConnectionEnd
{
    /// <summary>We did not.</summary>
    None,

    /// <summary>It is not needed any more.</summary>
    Done,

    /// <summary>The peer took too long.</summary>
    Timeout,

    /// <summary>The client left.</summary>
    ClientLeft,

    /// <summary>The client's request body could not be read to its end.</summary>
    BadRequestBody,
}
