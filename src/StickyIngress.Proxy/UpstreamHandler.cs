using Microsoft.AspNetCore.Http;
using StickyIngress.Core;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Upstreams;
using StickyIngress.Proxy.Forwarding;
using StickyIngress.Proxy.Forwarding.Http1;
using StickyIngress.Proxy.Tries;

namespace StickyIngress.Proxy;

/// <summary>Selects a peer, tries it, and goes to the next one for as long as nginx would.</summary>
public sealed class UpstreamHandler(PeerSelector selector, QueuedSelector queue, IPeerForwarder forwarder, ProxyMetrics metrics)
{
    private const int ClientClosedRequest = 499;

    internal async Task HandleAsync(ProxyRequest request)
    {
        var upstream = request.Upstream!;
        request.Selection = new(upstream, request, request.Settings.NextUpstream.Tries);
        request.Selection.Tied = TiedConnections.PeerOf(request);
        if (upstream.Affinity is { } affinity) await affinity.PrepareAsync(request.Selection);
        request.Body.Open(request.Settings.RequestBuffer);
        request.ResponseBody = new(request.Context.Response);

        while (true)
        {
            var selected = request.LastTry is not null || upstream.Queue is null
                ? selector.Select(request.Selection)
                : await SelectFirstAsync(request, request.Selection);
            if (selected.Lease is not { } lease)
            {
                await RefuseAsync(request, selected);
                return;
            }

            var @try = request.BeginTry(lease.Peer, lease.Peer.Name);
            TryEnd end;
            using (lease)
            {
                var before = request.ResponseBody.Count;
                end = await forwarder.ForwardAsync(request, @try, lease);
                Record(request, @try, lease, end, request.ResponseBody.Count - before);
            }

            GiveFreeTry(request, @try, end);
            if (GoesOn(request, @try, end))
            {
                metrics.Retried(request, @try, end);
                request.Body.Rewind();
                continue;
            }

            await FinishAsync(request, end);
            return;
        }
    }

    /// <summary>Only the first try waits: one that failed is not worth more of the client's time, as in nginx.</summary>
    private async ValueTask<Selected> SelectFirstAsync(ProxyRequest request, Selection selection)
    {
        var queued = await queue.SelectAsync(selection, request.Context.RequestAborted);
        (request.Selection, request.Upstream, request.QueueTime) = (queued.Selection, queued.Selection.Upstream, queued.Milliseconds);
        if (queued.Rejected != QueueRejection.None) metrics.QueueRejected(request, queued.Rejected);
        return queued.Selected;
    }

    /// <summary>Answers a request for which no peer was selected, unless the client left the queue.</summary>
    private static Task RefuseAsync(ProxyRequest request, Selected selected)
    {
        var upstream = request.Upstream!;
        if (selected.Kind == SelectedKind.Rejected) return Answer.WriteAsync(request, upstream.FailStatus!.Value);

        var @try = request.BeginTry(null, upstream.Name.Name);
        if (request.QueueTime >= 0 && request.Context.RequestAborted.IsCancellationRequested)
        {
            request.Context.Response.StatusCode = ClientClosedRequest;
            return Task.CompletedTask;
        }

        @try.Status = StatusCodes.Status502BadGateway;
        return Answer.WriteAsync(request, StatusCodes.Status502BadGateway);
    }

    /// <summary>What a try came to, before it is counted out.</summary>
    private void Record(ProxyRequest request, PeerTry @try, PeerLease lease, TryEnd end, long responseLength)
    {
        if (end is TryEnd.ConnectFailed or TryEnd.ConnectTimeout) @try.RequestSent = false;
        if (end.IsFailure()) @try.Status = end.StatusCode();
        @try.ResponseTime = request.Now - @try.StartedAt;
        @try.ResponseLength = responseLength;

        @try.End = end;
        if (end == TryEnd.Status && request.Caching?.TookOver != true)
            lease.Fail(NextPeer.CountsAsFailure(@try.Status) ? TryOutcome.Failed : TryOutcome.Next, BreakReason.PeerFailed);
        else if (end.IsFailure())
            lease.Fail(TryOutcome.Failed, end.BreakReason());

        metrics.Tried(request, @try, end);
    }

    /// <summary>nginx gives another try for each connection that its peer had closed while it was kept.</summary>
    private static void GiveFreeTry(ProxyRequest request, PeerTry @try, TryEnd end)
    {
        if (end == TryEnd.Error && @try.OnReusedConnection) request.Selection!.Tries++;
    }

    private static bool GoesOn(ProxyRequest request, PeerTry @try, TryEnd end) =>
        (end == TryEnd.Status && request.Caching?.TookOver != true)
        || (end.IsFailure() && !request.Context.RequestAborted.IsCancellationRequested && NextPeer.AfterFailure(request, @try, end));

    private static async Task FinishAsync(ProxyRequest request, TryEnd end)
    {
        var context = request.Context;
        switch (end)
        {
            case TryEnd.Responded:
                return;
            case TryEnd.Truncated when context.Response.HasStarted && !HttpProtocol.IsHttp2(context.Request.Protocol) && !HttpProtocol.IsHttp3(context.Request.Protocol):
                // The server then sends what it has and closes without an end of the body, where an abort could lose what was not sent yet.
                throw new ResponseCutException();
            case TryEnd.Truncated:
                context.Abort();
                return;
            case TryEnd.ClientAborted:
                if (!context.Response.HasStarted) context.Response.StatusCode = ClientClosedRequest;
                return;
            case TryEnd.BadRequestBody:
                await Answer.WriteAsync(request, ((BadHttpRequestException)request.Body.ReadError!).StatusCode);
                return;
            default:
                await Answer.WriteAsync(request, end.StatusCode());
                return;
        }
    }
}
