using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using StickyIngress.Core.Upstreams;
using StickyIngress.Proxy.Clients.Http1;
using StickyIngress.Proxy.Sockets;
using StickyIngress.Proxy.Tries;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>
/// One request and its response over one connection. The request's body is sent while the response is awaited and read, so that an answer which
/// comes early is passed on at once; when it ends before the request does, the rest of the request is not sent.
/// </summary>
/// <param name="pool">Keeps the connection afterwards, unless it is or becomes the client's own.</param>
/// <param name="wasTied">It is the client's own.</param>
internal sealed class Exchange(ProxyRequest request, PeerTry @try, PeerLease lease, PeerConnection connection, ConnectionPool pool, bool wasTied)
{
    private readonly long _sentBefore = connection.BytesSent;
    private readonly long _receivedBefore = connection.BytesReceived;
    private readonly long _readTimeout = (long)request.Settings.ReadTimeout.TotalMilliseconds;
    private readonly HttpContext _context = request.Context;
    private readonly ClientPresence _presence = ClientPresence.Watch(request.Context, connection);
    private LargeBody? _large;
    private string? _upgrade;

    /// <summary>The connection may serve another request: everything was sent, and exactly the response was received.</summary>
    private bool _canKeep;

    /// <summary>For a body that does not come with its head.</summary>
    private LargeBody Large => _large ??= new(_context, connection);

    private enum Arrived
    {
        /// <summary>Not all of a head.</summary>
        Part,

        Interim,
        Head,
        Nonsense,

        /// <summary>The peer sends no more.</summary>
        End,
    }

    /*
     * Nearly every request waits once, here, for its response. Each further method that waits would cost about as much as a header does.
     */
    public async Task<TryEnd> RunAsync(string host)
    {
        if (!@try.OnReusedConnection && await ConnectAsync() is { } failure)
        {
            LeaveConnection();
            return failure;
        }

        Begin(host);
        var upload = request.Body.HasBody && _upgrade is null ? new RequestUpload(request, connection, Large) : null;
        var uploading = Task.CompletedTask;
        TryEnd end;
        try
        {
            if (upload is null)
            {
                await connection.SendWholeAsync(connection.Output.Unsent, (long)request.Settings.SendTimeout.TotalMilliseconds);
                connection.LimitReads(_readTimeout);
            }
            else
            {
                uploading = upload.RunAsync();
            }

            Arrived arrived;
            while ((arrived = Receive()) is Arrived.Part or Arrived.Interim)
            {
                if (arrived == Arrived.Part) await connection.ReceivableAsync();
                else await PassInterimAsync();
            }

            end = arrived == Arrived.Head ? await AnswerAsync() : arrived == Arrived.End ? TryEnd.Error : TryEnd.InvalidHeader;
        }
        catch (Exception e) when (PeerConnection.IsFailure(e))
        {
            end = TryEnd.Error;
        }

        if (upload is not null) await StopAsync(upload, uploading);
        connection.LiftReadLimit();
        _large?.End();
        @try.BytesSent = connection.BytesSent - _sentBefore;
        @try.BytesReceived = connection.BytesReceived - _receivedBefore;
        end = Judge(end);
        LeaveConnection();
        return end;
    }

    /// <summary>Null: it is connected.</summary>
    private async ValueTask<TryEnd?> ConnectAsync()
    {
        try
        {
            await connection.ConnectAsync(lease.Peer.EndPoint, (long)request.Settings.ConnectTimeout.TotalMilliseconds);
            return null;
        }
        catch (Exception e) when (PeerConnection.IsFailure(e))
        {
            return connection.End switch
            {
                ConnectionEnd.Timeout => TryEnd.ConnectTimeout,
                ConnectionEnd.ClientLeft => TryEnd.ClientAborted,
                _ => TryEnd.ConnectFailed,
            };
        }
    }

    private void Begin(string host)
    {
        @try.ConnectTime = @try.OnReusedConnection ? 0 : request.Now - @try.StartedAt;
        connection.Requests++;
        connection.Head.Begin();
        connection.Output.Clear();
        _upgrade = WantedUpgrade();
        RequestHead.Write(connection.Output, request, host, _upgrade);
        @try.RequestSent = true;
    }

    private async ValueTask StopAsync(RequestUpload upload, Task uploading)
    {
        _canKeep &= upload.IsComplete;
        await upload.StopAsync(uploading);
        upload.Dispose();
    }

    /// <summary>Keeps or closes it by nginx's rules of keepalive. From then on it may be another request's.</summary>
    private void LeaveConnection()
    {
        if (!_presence.TryStop() || !_canKeep || connection.End != ConnectionEnd.None) connection.Dispose();
        else if (TiedConnections.ShouldTie(request, wasTied)) TiedConnections.Keep(request, connection);
        else pool.Keep(connection, request.Settings.Keepalive);
    }

    /// <summary>What broke the connection off, where it was not the peer.</summary>
    private TryEnd Judge(TryEnd end)
    {
        if (end is not (TryEnd.Error or TryEnd.Truncated)) return end;

        _canKeep = false;
        return connection.End switch
        {
            ConnectionEnd.Timeout when end == TryEnd.Error => TryEnd.Timeout,
            ConnectionEnd.ClientLeft => TryEnd.ClientAborted,
            ConnectionEnd.BadRequestBody when end == TryEnd.Error => ClientPresence.HasLeft(_context) || !request.Body.IsBad ? TryEnd.ClientAborted : TryEnd.BadRequestBody,
            _ => end,
        };
    }

    /// <summary>Reads what has come.</summary>
    private Arrived Receive()
    {
        var (input, head) = (connection.Input, connection.Head);
        while (true)
        {
            switch (head.Read(input.Unread))
            {
                case ParseStep.Complete:
                    input.Consume(head.Size);
                    return head.Status is >= 200 or StatusCodes.Status101SwitchingProtocols ? Arrived.Head : Arrived.Interim;
                case ParseStep.Invalid:
                case ParseStep.NeedsMore when input.IsFull:
                    return Arrived.Nonsense;
            }

            if (!connection.TryReceive(out var count)) return Arrived.Part;
            if (count == 0) return Arrived.End;
        }
    }

    private async ValueTask PassInterimAsync()
    {
        await InterimResponses.PassAsync(_context, connection.Head);
        connection.Head.Begin();
    }

    /// <summary>Passes the response on whose head has come, unless another peer shall answer.</summary>
    private ValueTask<TryEnd> AnswerAsync()
    {
        var head = connection.Head;
        @try.Status = head.Status;
        @try.HeaderTime = request.Now - @try.StartedAt;
        request.Response = head.Response;
        var framing = BodyFraming.Of(head, HttpMethods.IsHead(_context.Request.Method));
        if (head.Status == StatusCodes.Status101SwitchingProtocols && _upgrade is null) return new(TryEnd.InvalidHeader);

        if (NextPeer.AfterStatus(request, @try, head.Status))
        {
            _canKeep = SaysKeep() && framing.IsWithin(connection.Input.Unread.Length) && !NextPeer.CountsAsFailure(head.Status);
            return new(TryEnd.Status);
        }

        lease.HeaderReceived();
        connection.LimitReads(_readTimeout);
        PassHead(framing);
        if (head.Status == StatusCodes.Status101SwitchingProtocols) return UpgradeAsync();
        if (!PassIfWhole(framing)) return DownloadAsync(framing);

        _canKeep = SaysKeep();
        return new(TryEnd.Responded);
    }

    private async ValueTask<TryEnd> DownloadAsync(BodyFraming framing)
    {
        var ownChunks = ClientTrailers.Announce(_context, connection.Head, framing);
        var end = await new ResponseDownload(request, connection, framing, ownChunks, Large).RunAsync();
        _canKeep = end == TryEnd.Responded && SaysKeep() && framing.Kind != BodyKind.UntilClose && connection.Input.IsEmpty;
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
        if (head.Reason is not null || @try.Former is not null) _context.Features.Get<IHttpResponseFeature>()!.ReasonPhrase = head.Reason;

        if (headers is ResponseFields own) own.Pass(head.Response, mayStayWhole: head.IsAsBefore);
        else AddHeaders(head.Response, headers);
        if (head.Length >= 0 && framing.TellsLength) headers.ContentLength = head.Length;
        if (head.Status == StatusCodes.Status101SwitchingProtocols && head.Response.Header(HeaderNames.Upgrade) is { } protocol)
            headers.Upgrade = protocol;
        ClientHeaders.Add(request, head.Status);
    }

    private static void AddHeaders(Http1Response from, IHeaderDictionary headers)
    {
        var fields = from.Headers;
        for (var i = 0; i < fields.Length; i++)
        {
            var (name, value) = fields[i];
            switch (from.UseOf(i))
            {
                case FieldUse.Passed:
                    headers[name] = value;
                    break;
                case FieldUse.Repeated:
                    headers.Append(name, value);
                    break;
            }
        }
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

    private async ValueTask<TryEnd> UpgradeAsync()
    {
        _presence.TryStop();
        ClientConnection.Of(_context)?.OutlivesInput = true;
        connection.LiftReadLimit();
        var client = await _context.Features.Get<IHttpUpgradeFeature>()!.UpgradeAsync();
        using var tunnel = new Tunnel(request, connection, client, Large);
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
