using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using StickyIngress.Core.Upstreams;
using StickyIngress.Proxy.Sockets;
using StickyIngress.Proxy.Tries;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>
/// One request and its response over one connection. The request's body is sent while the response is awaited and read, so that an answer which
/// comes early is passed on at once; when it ends before the request does, the rest of the request is not sent.
/// </summary>
internal sealed class Exchange(ProxyRequest request, PeerTry @try, PeerLease lease, PeerConnection connection)
{
    private readonly long _sentBefore = connection.BytesSent;
    private readonly long _receivedBefore = connection.BytesReceived;
    private readonly long _readTimeout = (long)request.Settings.ReadTimeout.TotalMilliseconds;
    private readonly HttpContext _context = request.Context;
    private readonly LargeBody _large = new(request.Context, connection);
    private string? _upgrade;

    /// <summary>The connection may serve another request: everything was sent, and exactly the response was received.</summary>
    public bool CanKeep { get; private set; }

    public async Task<TryEnd> RunAsync(string host, ClientPresence presence)
    {
        connection.Requests++;
        _upgrade = WantedUpgrade();
        connection.Output.Clear();
        RequestHead.Write(connection.Output, request, host, _upgrade);
        @try.RequestSent = true;

        var upload = request.Body.HasBody && _upgrade is null ? new RequestUpload(request, connection, _large) : null;
        var uploading = Task.CompletedTask;
        TryEnd end;
        try
        {
            if (upload is null) await SendHeadAsync();
            else uploading = upload.RunAsync();

            if (upload is null) connection.LimitReads(_readTimeout);
            end = await ReceiveAsync(presence);
        }
        catch (Exception e) when (PeerConnection.IsFailure(e))
        {
            end = TryEnd.Error;
        }

        if (upload is not null)
        {
            CanKeep &= upload.IsComplete;
            await upload.StopAsync(uploading);
            upload.Dispose();
        }

        connection.LiftReadLimit();
        _large.End();
        @try.BytesSent = connection.BytesSent - _sentBefore;
        @try.BytesReceived = connection.BytesReceived - _receivedBefore;
        return Judge(end);
    }

    private ValueTask SendHeadAsync() => connection.SendAsync(connection.Output.Unsent, (long)request.Settings.SendTimeout.TotalMilliseconds);

    /// <summary>What broke the connection off, where it was not the peer.</summary>
    private TryEnd Judge(TryEnd end)
    {
        if (end is not (TryEnd.Error or TryEnd.Truncated)) return end;

        CanKeep = false;
        return connection.End switch
        {
            ConnectionEnd.Timeout when end == TryEnd.Error => TryEnd.Timeout,
            ConnectionEnd.ClientLeft => TryEnd.ClientAborted,
            ConnectionEnd.BadRequestBody when end == TryEnd.Error => ClientPresence.HasLeft(_context) ? TryEnd.ClientAborted : TryEnd.BadRequestBody,
            _ => end,
        };
    }

    private async ValueTask<TryEnd> ReceiveAsync(ClientPresence presence)
    {
        var (input, head) = (connection.Input, connection.Head);
        head.Begin();
        while (true)
        {
            var step = head.Read(input.Unread);
            if (step == ParseStep.Complete)
            {
                input.Consume(head.Size);
                if (head.Status is >= 200 or StatusCodes.Status101SwitchingProtocols) break;

                await InterimResponses.PassAsync(_context, head);
                head.Begin();
                continue;
            }

            if (step == ParseStep.Invalid || input.IsFull) return TryEnd.InvalidHeader;
            if (await connection.ReceiveAsync() == 0) return TryEnd.Error;
        }

        @try.Status = head.Status;
        @try.HeaderTime = request.Now - @try.StartedAt;
        request.Response = head.Response;
        var framing = BodyFraming.Of(head, HttpMethods.IsHead(_context.Request.Method));
        if (head.Status == StatusCodes.Status101SwitchingProtocols && _upgrade is null) return TryEnd.InvalidHeader;

        if (NextPeer.AfterStatus(request, @try, head.Status))
        {
            CanKeep = SaysKeep() && framing.IsWithin(input.Unread.Length) && !NextPeer.CountsAsFailure(head.Status);
            return TryEnd.Status;
        }

        lease.HeaderReceived();
        PassHead(framing);
        var trailers = ClientTrailers.Announce(_context, head, framing);
        if (head.Status == StatusCodes.Status101SwitchingProtocols) return await UpgradeAsync(presence);

        var end = PassIfWhole(framing) ? TryEnd.Responded : await new ResponseDownload(request, connection, framing, trailers, _large).RunAsync();
        CanKeep = end == TryEnd.Responded && SaysKeep() && framing.Kind != BodyKind.UntilClose && input.IsEmpty;
        return end;
    }

    /// <summary>By what the response says of itself.</summary>
    private bool SaysKeep()
    {
        var head = connection.Head;
        return !head.SaysClose && (!head.IsHttp10 || head.SaysKeepAlive) && _upgrade is null;
    }

    private void PassHead(in BodyFraming framing)
    {
        var (head, response) = (connection.Head, _context.Response);
        var headers = response.Headers;
        if (headers.Count > 0) headers.Clear();
        response.StatusCode = head.Status;
        if (head.Reason is not null || request.Tries.Count > 1) _context.Features.Get<IHttpResponseFeature>()!.ReasonPhrase = head.Reason;

        var fields = head.Response.Headers;
        for (var i = 0; i < fields.Length; i++)
        {
            var (name, value) = fields[i];
            switch (head.Response.UseOf(i))
            {
                case FieldUse.Passed:
                    headers[name] = value;
                    break;
                case FieldUse.Repeated:
                    headers.Append(name, value);
                    break;
            }
        }

        if (head.Length >= 0 && framing.TellsLength) headers.ContentLength = head.Length;
        if (head.Status == StatusCodes.Status101SwitchingProtocols && head.Response.Header(HeaderNames.Upgrade) is { } protocol)
            headers.Upgrade = protocol;
        ClientHeaders.Add(request, head.Status);
    }

    /// <summary>A body that came with its head, all of it: the server flushes it with what it adds, so that it leaves in one piece.</summary>
    private bool PassIfWhole(in BodyFraming framing)
    {
        var body = connection.Input.Unread;
        if (framing is not { Kind: BodyKind.Length, IsDropped: false } || framing.Left != body.Length || _context.Response.HasStarted) return false;

        request.ResponseBody!.Pass(body);
        connection.Input.Consume(body.Length);
        return true;
    }

    private async ValueTask<TryEnd> UpgradeAsync(ClientPresence presence)
    {
        presence.TryStop();
        connection.LiftReadLimit();
        var client = await _context.Features.Get<IHttpUpgradeFeature>()!.UpgradeAsync();
        using var tunnel = new Tunnel(request, connection, client, _large);
        await tunnel.RunAsync(_readTimeout);
        return TryEnd.Responded;
    }

    /// <summary>HTTP/2 is not offered to peers here, so an upgrade to it is not passed on.</summary>
    private string? WantedUpgrade()
    {
        if (_context.Request.Headers.Upgrade.Count == 0 || _context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true }) return null;

        var protocol = ProxyRequest.Joined(_context.Request.Headers.Upgrade, ", ")!;
        return protocol.Contains("h2c", StringComparison.OrdinalIgnoreCase) ? null : protocol;
    }
}
