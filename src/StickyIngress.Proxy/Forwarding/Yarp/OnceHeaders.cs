using System.Text;

namespace StickyIngress.Proxy.Forwarding.Yarp;

/// <summary>
/// Has SocketsHttpHandler write an HTTP/2 request once: whether one that its peer did not process is sent again is decided by
/// <see cref="YarpForwarder"/>, which can begin the body anew.
/// </summary>
/*
 * Left alone, SocketsHttpHandler sends a request again, up to three times, that the peer refused (REFUSED_STREAM) or that a GOAWAY says was not
 * processed. That is safe, but the body cannot be read twice, so the peer got a header without its body. The handler cannot be told not to; but it
 * asks for the encoding of each header each time it writes them, before anything is sent, so a header that was asked for already begins another time.
 */
internal static class OnceHeaders
{
    public static Encoding Encoding(string header, HttpRequestMessage message)
    {
        if (message.Options.TryGetValue(PeerConnector.Target, out var target))
        {
            if (target.FirstHeader == header) throw new PeerRefusedException();
            target.FirstHeader ??= header;
        }

        return System.Text.Encoding.Latin1;
    }
}

/// <summary>The peer said that it did not process the request, or closed the connection before it was sent.</summary>
internal sealed class PeerRefusedException() : Exception("the peer did not process the request");
