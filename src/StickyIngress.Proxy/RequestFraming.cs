using Microsoft.AspNetCore.Http;

namespace StickyIngress.Proxy;

/// <summary>
/// Whether all who read a request agree where its body ends. The server takes more than it should: the length beside
/// chunks, which it renames, chunks in HTTP/1.0, and codings before <c>chunked</c>, which it would leave in the body and drop
/// from the header. nginx refuses them too.
/// </summary>
internal static class RequestFraming
{
    /// <summary>Where the server puts a Content-Length that it did not go by.</summary>
    private const string SetAside = "X-Content-Length";

    /// <summary>The status that refuses the request; 0: it is sound.</summary>
    public static int Refusal(HttpRequest request)
    {
        var codings = request.Headers.TransferEncoding;
        if (codings.Count == 0) return 0;
        if (HttpProtocol.IsHttp10(request.Protocol) || request.Headers.ContainsKey(SetAside)) return StatusCodes.Status400BadRequest;

        return codings is [{ } coding] && coding.Equals("chunked", StringComparison.OrdinalIgnoreCase) ? 0 : StatusCodes.Status501NotImplemented;
    }
}
