using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>
/// Trailers for clients. Over HTTP/1.1 the server sends none, but leaves chunks to whoever sets Transfer-Encoding, so where a peer announces
/// trailers the chunks and what follows them are written by us. Everywhere else they are the server's, which is faster.
/// </summary>
internal static class ClientTrailers
{
    /// <summary>True: the client is told which trailers come, and the chunks are ours to write.</summary>
    public static bool Announce(HttpContext context, ResponseHead head, in BodyFraming framing)
    {
        if (framing is not { Kind: BodyKind.Chunked, IsDropped: false } || HeaderRules.PassedTrailers(head.Response.Header(HeaderNames.Trailer)) is not { } names) return false;

        var headers = context.Response.Headers;
        var ownChunks = HttpProtocol.IsHttp11(context.Request.Protocol);
        if (ownChunks) headers.TransferEncoding = "chunked";
        if (ownChunks || context.Response.SupportsTrailers()) headers.Trailer = names;
        return ownChunks;
    }

    /// <summary>The chunk that ends the body, with the trailers; their names and values were read strictly, so none can end its line.</summary>
    public static void WriteLast(IBufferWriter<byte> writer, IReadOnlyList<KeyValuePair<string, string>> trailers)
    {
        writer.Write("0\r\n"u8);
        foreach (var (name, value) in trailers)
        {
            if (HeaderRules.IsPassedInTrailer(name)) FieldLine.Write(writer, name, value);
        }

        writer.Write("\r\n"u8);
    }
}
