using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>
/// Trailers for clients of HTTP/1.1. The server sends none, but leaves chunks to whoever sets Transfer-Encoding, so where a peer announces
/// trailers the chunks and what follows them are written by us. Everywhere else they are the server's, which is faster.
/// </summary>
internal static class ClientTrailers
{
    /// <summary>True: the client is told which trailers come, and the chunks are ours to write.</summary>
    public static bool Announce(HttpContext context, ResponseHead head, in BodyFraming framing)
    {
        if (framing is not { Kind: BodyKind.Chunked, IsDropped: false } || !HttpProtocol.IsHttp11(context.Request.Protocol)) return false;
        if (head.Response.Header(HeaderNames.Trailer) is not { } announced) return false;

        var names = announced.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(MayPass).ToArray();
        if (names.Length == 0) return false;

        var headers = context.Response.Headers;
        (headers.TransferEncoding, headers.Trailer) = ("chunked", string.Join(", ", names));
        return true;
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

    private static bool MayPass(string name) => FieldLine.IsName(Encoding.Latin1.GetBytes(name)) && HeaderRules.IsPassedInTrailer(name);
}
