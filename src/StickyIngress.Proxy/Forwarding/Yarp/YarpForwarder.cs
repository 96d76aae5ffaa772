using System.Security.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyIngress.Core.Upstreams;
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

    public async Task<TryEnd> ForwardAsync(ProxyRequest request, PeerTry @try, PeerLease lease)
    {
        var context = request.Context;
        Reset(context.Response);
        if (context.Response.Body != request.ResponseBody) context.Response.Body = request.ResponseBody!;

        var profile = profiles.For(request.Settings, request.Settings.Protocol ?? lease.Peer.Protocol);
        OnceStream.Writer.Value = @try;
        var transformer = new TryTransformer(request, @try, lease, profile);
        var error = await forwarder.SendAsync(context, Prefix, profile.Invoker, profile.Config, transformer, CancellationToken.None);

        if (transformer.GoesOn) return TryEnd.Status;
        if (error == ForwarderError.None) return TryEnd.Responded;

        return Classify(error, context.Features.Get<IForwarderErrorFeature>()?.Exception, context, request);
    }

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
                return TryEnd.Timeout;
            case ForwarderError.RequestBodyClient when !context.RequestAborted.IsCancellationRequested && request.Body.ReadError is not null:
                return TryEnd.BadRequestBody;
            case ForwarderError.ResponseBodyDestination or ForwarderError.UpgradeResponseDestination:
            case ForwarderError.RequestBodyDestination when context.Response.HasStarted:
                return TryEnd.Truncated;
            case ForwarderError.UpgradeActivityTimeout:
                return TryEnd.Responded;
            case ForwarderError.Request or ForwarderError.RequestCreation or ForwarderError.RequestBodyDestination or ForwarderError.ResponseHeaders:
                return ClassifyFailure(exception);
            default:
                return TryEnd.ClientAborted;
        }
    }

    private static TryEnd ClassifyFailure(Exception? exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case PeerConnectTimeoutException:
                    return TryEnd.ConnectTimeout;
                case PeerSendTimeoutException:
                    return TryEnd.Timeout;
                case AuthenticationException:
                case HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError }:
                    return TryEnd.ConnectFailed;
                case HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded }:
                case HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded }:
                    return TryEnd.InvalidHeader;
                case AggregateException { InnerExceptions.Count: > 1 } several:
                    return several.InnerExceptions.Select(ClassifyFailure).FirstOrDefault(end => end != TryEnd.Error, TryEnd.Error);
            }
        }

        return TryEnd.Error;
    }
}
