using StickyIngress.Core.Upstreams;

namespace StickyIngress.Proxy.Tries;

/// <summary>One try of a request: what nginx's upstream variables say of it. Times are milliseconds from its start; -1: never came to it.</summary>
/// <param name="former">The request's try before; null: it is the first.</param>
public sealed class PeerTry(Peer? peer, string address, long startedAt, PeerTry? former)
{
    public PeerTry? Former { get; } = former;

    /// <summary>Null where no peer could be selected; <see cref="Address"/> is then the upstream's name, as in nginx.</summary>
    public Peer? Peer { get; } = peer;

    public string Address { get; } = address;

    /// <summary>Unix milliseconds.</summary>
    public long StartedAt { get; } = startedAt;

    /// <summary>The response's status, or 502 or 504 for a failed try; 0: none yet.</summary>
    public int Status { get; set; }

    /// <summary>How it ended; null while it runs, and where no peer could be selected.</summary>
    public TryEnd? End { get; set; }

    public long ConnectTime { get; set; } = -1;

    public long HeaderTime { get; set; } = -1;

    public long ResponseTime { get; set; } = -1;

    /// <summary>Body bytes of the response that went to the client.</summary>
    public long ResponseLength { get; set; }

    public long BytesSent { get; set; }

    public long BytesReceived { get; set; }

    /// <summary>Its connection had served a request before, so the peer may have closed it for no fault of this one.</summary>
    public bool OnReusedConnection { get; set; }

    /// <summary>Whether any byte of the request may have reached the peer.</summary>
    public bool RequestSent { get; set; }
}
