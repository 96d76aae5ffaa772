using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>
/// Sends a request with its body as the client sends it. What is there already goes out with the head in one piece; nothing is held back while
/// more is awaited.
/// </summary>
internal sealed class RequestUpload(ProxyRequest request, PeerConnection connection, LargeBody large) : IDisposable
{
    /// <summary>Room for a chunk's size, four digits and CRLF, and for the CRLF behind it.</summary>
    private const int BeforeChunk = 6;
    private const int AfterChunk = 2;

    private readonly CancellationTokenSource _stop = new();
    private readonly bool _isChunked = request.Context.Request.ContentLength is null;
    private readonly long _sendTimeout = (long)request.Settings.SendTimeout.TotalMilliseconds;
    private volatile bool _isComplete;

    /// <summary>The whole body was sent.</summary>
    public bool IsComplete => _isComplete;

    /// <summary>Sends the head, which the output holds already, and the body. A peer that takes no more may have answered, so that is no failure here.</summary>
    public async Task RunAsync()
    {
        try
        {
            await SendAsync();
            _isComplete = true;
        }
        catch (OperationCanceledException)
        {
            return;
        }
        catch (Exception e) when (PeerConnection.IsFailure(e))
        {
            // The client's fault ends the connection; the peer's shows when the response is read.
            if (request.Body.ReadError is not null) connection.Abort(ConnectionEnd.BadRequestBody);
        }
        catch
        {
            // A fault of ours: nobody may wait for an answer to what was never sent.
            connection.Abort(ConnectionEnd.Done);
            throw;
        }

        connection.LimitReads((long)request.Settings.ReadTimeout.TotalMilliseconds);
    }

    /// <summary>The response has ended, so nobody wants what is left to send, if anything is.</summary>
    public async Task StopAsync(Task running)
    {
        if (IsComplete || running.IsCompleted)
        {
            await running;
            return;
        }

        connection.Abort(ConnectionEnd.Done);
        await _stop.CancelAsync();
        await running;
    }

    public void Dispose() => _stop.Dispose();

    private async Task SendAsync()
    {
        var (output, body) = (connection.Output, request.Context.Request.Body);
        while (true)
        {
            if (!output.HasRoom) await FlushAsync();

            var room = _isChunked ? output.Room(BeforeChunk, AfterChunk) : output.Room(0, 0);
            var reading = body.ReadAsync(room, _stop.Token);
            if (!reading.IsCompleted && output.Count > 0)
            {
                await connection.SendAsync(output.Unsent, _sendTimeout);
                output.Sent();
            }

            var count = await reading;
            if (count == 0) break;

            // With the answer begun, both may be silent for the read timeout; before, the peer's time has not begun.
            connection.Touch();

            if (_isChunked) output.AppendChunk(BeforeChunk, count);
            else output.Append(count);
            if (large.EndsTurnWith(count)) await large.TakeTurn();
        }

        if (_isChunked) RequestHead.WriteLastChunk(output, request);
        await FlushAsync();
    }

    private async ValueTask FlushAsync()
    {
        if (connection.Output.Count > 0) await connection.SendAsync(connection.Output.Unsent, _sendTimeout);
        connection.Output.Clear();
    }
}
