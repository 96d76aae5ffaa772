using Microsoft.AspNetCore.Http;
using StickyIngress.Proxy.Clients.Http1;
using StickyIngress.Proxy.Sockets;
using StickyIngress.Proxy.Tries;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>
/// Passes a response's body on as it arrives: what has come is written, and flushed before waiting for more. The end is left to the server to
/// flush, with whatever it adds, so that a small response leaves in one piece; once a response has started, Kestrel does not do that.
/// </summary>
/// <param name="ownChunks">The chunks are written here and not by the server, see <see cref="ClientTrailers"/>.</param>
internal sealed class ResponseDownload(ProxyRequest request, PeerConnection connection, BodyFraming framing, bool ownChunks, LargeBody large)
{
    /// <summary>Bytes that are passed on in one piece at most.</summary>
    private const int MostUnflushed = 64 * 1024;

    private int _unflushed;
    private bool _endsTurn;

    public async ValueTask<TryEnd> RunAsync()
    {
        var end = await PassAllAsync();
        if (end == TryEnd.Responded && request.Context is { Response.HasStarted: true, Features: not ClientExchange }) await request.ResponseBody!.Writer.FlushAsync();
        return end;
    }

    private ValueTask<TryEnd> PassAllAsync() => framing.Kind switch
    {
        BodyKind.Length => LengthAsync(framing.Left),
        BodyKind.Chunked => ChunkedAsync(),
        BodyKind.UntilClose => UntilCloseAsync(),
        _ => new(TryEnd.Responded),
    };

    private async ValueTask<TryEnd> LengthAsync(long left)
    {
        while (true)
        {
            var count = (int)Math.Min(left, connection.Input.Unread.Length);
            Pass(count);
            left -= count;
            if (left == 0) return TryEnd.Responded;
            if (await MoreAsync() is { } end) return end;
        }
    }

    private async ValueTask<TryEnd> UntilCloseAsync()
    {
        while (true)
        {
            Pass(connection.Input.Unread.Length);
            if (await MoreAsync() is { } end) return end == TryEnd.Truncated && connection.End == ConnectionEnd.None ? TryEnd.Responded : end;
        }
    }

    private async ValueTask<TryEnd> ChunkedAsync()
    {
        var (input, chunks, response) = (connection.Input, connection.Chunks, connection.Head.Response);
        chunks.Begin();
        while (true)
        {
            var step = chunks.Step(input.Unread, out var consumed, out var body, response);
            input.Consume(consumed);
            if (step == ParseStep.Complete)
            {
                if (ownChunks) ClientTrailers.WriteLast(request.ResponseBody!.Writer, response.Trailers);
                else PassTrailers(response.Trailers);
                return TryEnd.Responded;
            }

            if (step == ParseStep.Invalid || input.IsFull && body == 0) return await BreakOffAsync();

            Pass(body);
            if (body == 0 && await MoreAsync() is { } end) return end;
        }
    }

    private void Pass(int count)
    {
        if (count == 0) return;

        var piece = connection.Input.Unread[..count];
        if (ownChunks) request.ResponseBody!.PassChunk(piece);
        else if (!framing.IsDropped) request.ResponseBody!.Pass(piece);

        connection.Input.Consume(count);
        _unflushed += count;
        _endsTurn |= large.EndsTurnWith(count);
    }

    /// <summary>Null: there is more; else how it ended.</summary>
    private async ValueTask<TryEnd?> MoreAsync()
    {
        var hasEnded = false;
        if (_unflushed < MostUnflushed && TryReceive(out var count))
        {
            if (count > 0) return null;
            hasEnded = true;
        }

        var flushed = await request.ResponseBody!.Writer.FlushAsync();
        _unflushed = 0;
        if (flushed.IsCompleted || flushed.IsCanceled) return TryEnd.ClientAborted;

        if (_endsTurn)
        {
            _endsTurn = false;
            await large.TakeTurn();
        }

        if (hasEnded) return TryEnd.Truncated;

        try
        {
            return await connection.ReceiveAsync() == 0 ? TryEnd.Truncated : null;
        }
        catch (Exception e) when (PeerConnection.IsFailure(e))
        {
            MarkBroken();
            return TryEnd.Truncated;
        }
    }

    /// <summary>What has come already; 0: there is no more, in order or not.</summary>
    private bool TryReceive(out int count)
    {
        try
        {
            return connection.TryReceive(out count);
        }
        catch (Exception e) when (PeerConnection.IsFailure(e))
        {
            MarkBroken();
            count = 0;
            return true;
        }
    }

    /// <summary>Different from an orderly end, which is all that ends a body without a length.</summary>
    private void MarkBroken() => connection.Abort(ConnectionEnd.Done);

    private async ValueTask<TryEnd> BreakOffAsync()
    {
        await request.ResponseBody!.Writer.FlushAsync();
        return TryEnd.Truncated;
    }

    private void PassTrailers(IReadOnlyList<KeyValuePair<string, string>> trailers)
    {
        var client = request.Context.Response;
        if (trailers.Count == 0 || !client.SupportsTrailers()) return;

        foreach (var (name, value) in trailers)
        {
            if (HeaderRules.IsPassedInTrailer(name)) client.AppendTrailer(name, value);
        }
    }
}
