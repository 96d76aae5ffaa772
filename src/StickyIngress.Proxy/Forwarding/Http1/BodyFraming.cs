using Microsoft.AspNetCore.Http;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>How a response's body ends (RFC 9112, section 6.3).</summary>
/// <param name="Left">Bytes, for <see cref="BodyKind.Length"/>.</param>
/// <param name="TellsLength">The client is told the length that the peer told.</param>
/// <param name="IsDropped">The status has no body for the client, whatever the peer sends.</param>
internal readonly record struct BodyFraming(BodyKind Kind, long Left, bool TellsLength, bool IsDropped)
{
    public static BodyFraming Of(ResponseHead head, bool isHead)
    {
        if (isHead) return new(BodyKind.None, 0, head.Status != StatusCodes.Status204NoContent, IsDropped: false);

        switch (head.Status)
        {
            case < 200 or StatusCodes.Status204NoContent:
                return new(BodyKind.None, 0, TellsLength: false, IsDropped: false);
            case StatusCodes.Status304NotModified:
                return new(BodyKind.None, 0, TellsLength: true, IsDropped: false);
        }

        var dropped = head.Status == StatusCodes.Status205ResetContent;
        if (head.IsChunked) return new(BodyKind.Chunked, 0, !dropped, dropped);
        if (head.Length >= 0) return new(BodyKind.Length, head.Length, !dropped, dropped);
        return new(BodyKind.UntilClose, 0, !dropped, dropped);
    }

    /// <summary>The body is exactly what has been received already.</summary>
    public bool IsWithin(int received) => Kind is BodyKind.None or BodyKind.Length && Left == received;
}

internal enum BodyKind
{
    None,
    Length,
    Chunked,
    UntilClose,
}
