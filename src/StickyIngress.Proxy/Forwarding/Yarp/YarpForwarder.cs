using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyIngress.Core.Upstreams;
using StickyIngress.Proxy.Forwarding.Http1;
using StickyIngress.Proxy.Tries;
using Yarp.ReverseProxy.Forwarder;

namespace StickyIngress.Proxy.Forwarding.Yarp;

/// <summary>
/// A try by YARP's <see cref="IHttpForwarder"/> over SocketsHttpHandler. It serves HTTP/2 and gRPC peers, and is what any other
/// forwarder is tested against.
/// </summary>
public sealed class YarpForwarder(IHttpForwarder forwarder, InvokerProfiles profiles) : IPeerForwarder
{
    /// <summary>Only a stand-in, the transformer writes the whole address.</summary>
    private const string Prefix = "http://peer";

    /// <summary>How often a peer may say that it did not process the request before it counts as a failed try.</summary>
    private const int MostRefusals = 3;

    public async Task<TryEnd> ForwardAsync(ProxyRequest request, PeerTry @try, PeerLease lease)
    {
        var context = request.Context;
        Reset(context.Response);
        if (context.Response.Body != request.ResponseBody) context.Response.Body = request.ResponseBody!;

        var profile = profiles.For(request.Settings, request.Settings.Protocol ?? lease.Peer.Protocol);
        OnceStream.Writer.Value = @try;
        if (!profile.IsHttp2) return await SendAsync(request, @try, lease, profile);

        var (sent, received) = (request.Body.Passed, request.ResponseBody!.Count);
        var end = await SendAsync(request, @try, lease, profile);
        @try.BytesSent += request.Body.Passed - sent;
        @try.BytesReceived += request.ResponseBody.Count - received;
        if (end == TryEnd.Responded && request.Response is YarpResponse response) @try.BytesReceived += response.TrailerBytes;
        return end;
    }

    private async Task<TryEnd> SendAsync(ProxyRequest request, PeerTry @try, PeerLease lease, InvokerProfile profile)
    {
        var context = request.Context;
        for (var refusals = 0; ; refusals++)
        {
            var transformer = new TryTransformer(request, @try, lease, profile);
            var error = await forwarder.SendAsync(context, Prefix, profile.Invoker, profile.Config, transformer, CancellationToken.None);
            if (transformer.GoesOn) return TryEnd.Status;
            if (error == ForwarderError.None) return TryEnd.Responded;

            var exception = context.Features.Get<IForwarderErrorFeature>()?.Exception;
            if (!IsRefused(exception, request))
            {
                @try.OnReusedConnection |= profile.IsHttp2 && @try.ConnectTime < 0 && IsBrokenOff(exception);
                var end = Classify(error, exception, context, request);

                // YARP says 502 where it has sent nothing yet; the log has what the peer said, and the client is cut off.
                if (end == TryEnd.Truncated && !context.Response.HasStarted) context.Response.StatusCode = @try.Status;
                return end;
            }

            @try.RequestSent = false;
            if (refusals == MostRefusals) return TryEnd.Error;

            request.Body.Rewind();
            Reset(context.Response);
        }
    }

    /// <summary>The peer did not process it, and it can be sent as a whole again: to the same peer or another, a POST too.</summary>
    private static bool IsRefused(Exception? exception, ProxyRequest request) =>
        Causes(exception).OfType<PeerRefusedException>().Any() && request.CanReplayBody && !request.Context.RequestAborted.IsCancellationRequested;

    /// <summary>The connection ended, and not the request alone.</summary>
    private static bool IsBrokenOff(Exception? exception) =>
        Causes(exception).Any(cause => cause is HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded } or SocketException);

    /// <summary>YARP insists on a response that nobody has touched, and sets one of its own when a try fails.</summary>
    private static void Reset(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status200OK;
        var feature = response.HttpContext.Features.Get<IHttpResponseFeature>();
        if (feature is not null) feature.ReasonPhrase = null;
    }

    private static TryEnd Classify(ForwarderError error, Exception? exception, HttpContext context, ProxyRequest request)
    {
        switch (error)
        {
            case ForwarderError.RequestTimedOut:
            case ForwarderError.RequestBodyClient when context.Response.StatusCode == StatusCodes.Status408RequestTimeout: // YARP's word for it
                return request.Body.IsLate() ? TryEnd.BadRequestBody : TryEnd.Timeout;
            case ForwarderError.RequestBodyClient when !ClientPresence.HasLeft(context) && request.Body.ReadError is not null:
                return request.Body.IsBad ? TryEnd.BadRequestBody : TryEnd.ClientAborted;
            case ForwarderError.ResponseBodyDestination or ForwarderError.UpgradeResponseDestination:
            case ForwarderError.RequestBodyDestination when context.Response.HasStarted:
                return TryEnd.Truncated;
            case ForwarderError.UpgradeActivityTimeout:
                return TryEnd.Responded;
            case ForwarderError.Request or ForwarderError.RequestCreation or ForwarderError.RequestBodyDestination or ForwarderError.ResponseHeaders:
            case ForwarderError.RequestBodyClient when !ClientPresence.HasLeft(context): // the peer ended the try, and with it the reading
                return ClassifyFailure(exception);
            default:
                return TryEnd.ClientAborted;
        }
    }

    /// <summary>By the innermost cause that says something: a connection that was not made in time is in one that was not made.</summary>
    private static TryEnd ClassifyFailure(Exception? exception) =>
        Causes(exception).Select(EndOf).LastOrDefault(end => end != TryEnd.Error, TryEnd.Error);

    private static TryEnd EndOf(Exception exception) => exception switch
    {
        PeerConnectTimeoutException => TryEnd.ConnectTimeout,
        PeerSendTimeoutException => TryEnd.Timeout,
        AuthenticationException => TryEnd.ConnectFailed,
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError } => TryEnd.ConnectFailed,
        HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded } => TryEnd.InvalidHeader,
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded } => TryEnd.InvalidHeader,
        _ => TryEnd.Error,
    };

    /// <summary>An exception and what is in it, from without to within.</summary>
    private static IEnumerable<Exception> Causes(Exception? exception) => exception switch
    {
        null => [],
        AggregateException several => several.InnerExceptions.SelectMany(Causes),
        _ => Causes(exception.InnerException).Prepend(exception),
    };
}
