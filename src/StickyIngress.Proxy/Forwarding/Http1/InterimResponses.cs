using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>
/// Interim responses of peers (1xx, such as 103 with early hints) for clients of HTTP/1.1. The server cannot send them, so they are put into the
/// connection below it. It writes nothing there before a response starts but <c>100 Continue</c>, and to a client that awaits that they do not go.
/// Frames of HTTP/2 cannot be put between the server's own.
/// </summary>
internal static class InterimResponses
{
    /// <summary>Passes on the interim response that was just read. 100 says something of the hop to the peer alone.</summary>
    public static async ValueTask PassAsync(HttpContext context, ResponseHead head)
    {
        if (head.Status == StatusCodes.Status100Continue || !MayGet(context)) return;

        // Where there is TLS it has taken the connection's place.
        var output = context.Features.Get<IConnectionTransportFeature>()!.Transport.Output;
        try
        {
            Write(output, head);
            await output.FlushAsync();
        }
        catch (Exception e) when (e is InvalidOperationException or IOException)
        {
            // The client has left just now, which ends the request in its own way.
        }
    }

    private static bool MayGet(HttpContext context) =>
        HttpProtocol.IsHttp11(context.Request.Protocol) && context.Request.Headers.Expect.Count == 0
        && !context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested;

    /// <summary>What was read strictly, so that nothing in it can end its line.</summary>
    private static void Write(IBufferWriter<byte> output, ResponseHead head)
    {
        var line = $"HTTP/1.1 {head.Status} {head.Reason ?? ReasonPhrases.GetReasonPhrase(head.Status)}\r\n";
        Encoding.Latin1.GetBytes(line, output);
        output.Write(head.Response.Lines);
        output.Write("\r\n"u8);
    }
}
