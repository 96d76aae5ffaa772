using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using StickyIngress.Core.Cookies;
using StickyIngress.Core.Upstreams;
using StickyIngress.Proxy.Tries;
using Yarp.ReverseProxy.Forwarder;

namespace StickyIngress.Proxy.Forwarding.Yarp;

/// <summary>Writes the request of one try, and decides at the response's header whether another peer shall answer instead.</summary>
internal sealed class TryTransformer(ProxyRequest request, PeerTry @try, PeerLease lease, InvokerProfile profile) : HttpTransformer
{
    private static readonly UriCreationOptions AsItCame = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <summary>The peer's status sends the request to the next peer.</summary>
    public bool GoesOn { get; private set; }

    public override async ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);

        var host = request.Settings.Host.Evaluate(request);
        var address = profile.Address(lease.Peer, request, host, out var serverName);
        proxyRequest.RequestUri = new Uri(string.Concat("http://", address, request.Target), AsItCame);
        proxyRequest.Options.Set(PeerConnector.Target, new ConnectTarget(lease.Peer, serverName, @try));

        var headers = proxyRequest.Headers;
        RemoveOwn(httpContext.Request.Headers, headers, request.Settings);
        if (AsksForTrailers(httpContext, proxyRequest)) headers.TE.Add(new("trailers"));
        ForwardedHeaders.Write(request, headers, static (sink, name, value) => sink.TryAddWithoutValidation(name, HeaderText.Safe(value)));
        headers.Host = null;
        if (host.Length > 0) headers.TryAddWithoutValidation(HeaderNames.Host, HeaderText.Safe(host));
        HideCookies(headers);
        foreach (var header in request.Settings.SetHeaders) Set(proxyRequest, header, header.Value.Evaluate(request));
        if (profile.IsHttp2) @try.BytesSent += FieldBytes.Of(proxyRequest, request.Target);

        @try.RequestSent = true;
    }

    public override async ValueTask<bool> TransformResponseAsync(
        HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (proxyResponse is null) return false;

        @try.Status = (int)proxyResponse.StatusCode;
        @try.HeaderTime = request.Now - @try.StartedAt;
        if (@try.ConnectTime < 0) @try.ConnectTime = 0;
        if (profile.IsHttp2) @try.BytesReceived += FieldBytes.Of(proxyResponse);
        request.Response = new YarpResponse(proxyResponse);

        GoesOn = NextPeer.AfterStatus(request, @try, @try.Status);
        if (GoesOn) return false;

        lease.HeaderReceived();
        await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
        AnnounceTrailers(httpContext);
        ClientHeaders.Add(request, @try.Status);
        if (@try.Status != StatusCodes.Status101SwitchingProtocols) await FlushBeforeWaitingAsync(httpContext, proxyResponse, cancellationToken);
        return true;
    }

    /// <summary>YARP passes the announcement on also where none follow.</summary>
    private static void AnnounceTrailers(HttpContext context)
    {
        var headers = context.Response.Headers;
        if (headers.Trailer.Count == 0) return;

        headers.Trailer = context.Response.SupportsTrailers() && !HttpMethods.IsHead(context.Request.Method)
            ? HeaderRules.PassedTrailers(headers.Trailer.ToString())
            : default(StringValues);
    }

    /// <summary>
    /// YARP sends the header with the first bytes of the body. Where both sides talk in turns, as in a gRPC stream, the client waits for that
    /// header before it says more, and the peer has nothing to say before. A response that has ended already still leaves in one piece.
    /// </summary>
    private static async Task FlushBeforeWaitingAsync(HttpContext context, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            var first = body.ReadAsync(Memory<byte>.Empty, cancellationToken);
            if (!first.IsCompleted) await context.Response.Body.FlushAsync(cancellationToken);
            await first;
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException)
        {
            // YARP's own read comes to the same and tells it; here it would count as a response that never began.
        }
    }

    /// <summary>What the client may not say in our stead, and what it named as meant for us alone.</summary>
    private static void RemoveOwn(
        IHeaderDictionary incoming, System.Net.Http.Headers.HttpRequestHeaders outgoing, ProxySettings settings)
    {
        foreach (var (name, _) in incoming)
        {
            // Names that are none never got there, and asking to remove one would throw.
            if (!HeaderRules.IsPassedToPeer(name, incoming, settings) && outgoing.NonValidated.Contains(name)) outgoing.Remove(name);
        }
    }

    /// <summary>The one TE that goes on (RFC 9113, section 8.2.2): gRPC servers insist on it.</summary>
    private static bool AsksForTrailers(HttpContext context, HttpRequestMessage outgoing) =>
        outgoing.Version.Major >= 2 && context.Request.Headers.TE.ToString().Contains("trailers", StringComparison.OrdinalIgnoreCase);

    private void HideCookies(System.Net.Http.Headers.HttpRequestHeaders headers)
    {
        var hidden = request.Settings.HiddenCookies;
        if (hidden.IsEmpty || !headers.NonValidated.TryGetValues(HeaderNames.Cookie, out var cookies)) return;

        string?[] left = [.. cookies.Select(cookie => CookieHeader.Without(cookie, hidden.AsSpan()))];
        headers.Remove(HeaderNames.Cookie);
        headers.TryAddWithoutValidation(HeaderNames.Cookie, left.Where(cookie => cookie is not null)!);
    }

    private static void Set(HttpRequestMessage message, RequestHeader header, string value)
    {
        System.Net.Http.Headers.HttpHeaders? headers = header.IsContent ? message.Content?.Headers : message.Headers;
        headers?.Remove(header.Name);
        if (value.Length > 0) headers?.TryAddWithoutValidation(header.Name, HeaderText.Safe(value));
    }
}
