using Microsoft.AspNetCore.Http;
using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>
/// Carries bytes both ways after an upgrade. When the client sends no more the peer is told and may finish; when the peer ends, so does the
/// client's connection, after all that came has been written. Silence both ways for the read timeout ends it.
/// </summary>
internal sealed class Tunnel(ProxyRequest request, PeerConnection connection, Stream client, LargeBody large) : IDisposable
{
    private const int BufferSize = 8 * 1024;

    private readonly CancellationTokenSource _stop = new();
    private readonly long _sendTimeout = (long)request.Settings.SendTimeout.TotalMilliseconds;

    /// <param name="timeout">Milliseconds.</param>
    public async Task RunAsync(long timeout)
    {
        connection.LimitReads(timeout);
        var sending = SendAsync();
        try
        {
            await ReceiveAsync();
        }
        catch (Exception e) when (IsEnd(e))
        {
            // One of them is gone, or was silent for too long.
        }

        connection.Abort(ConnectionEnd.Done);
        await _stop.CancelAsync();
        await sending;
    }

    public void Dispose() => _stop.Dispose();

    private static bool IsEnd(Exception e) => PeerConnection.IsFailure(e) || e is OperationCanceledException or BadHttpRequestException;

    private async Task ReceiveAsync()
    {
        var input = connection.Input;
        do
        {
            if (input.IsEmpty) continue;

            var piece = input.UnreadMemory;
            await client.WriteAsync(piece, _stop.Token);
            await client.FlushAsync(_stop.Token);
            request.ResponseBody!.Written(piece.Length);
            input.Consume(piece.Length);
            if (large.EndsTurnWith(piece.Length)) await large.TakeTurnOnPool();
        }
        while (await connection.ReceiveAsync() > 0);
    }

    private async Task SendAsync()
    {
        var buffer = BufferPool.Rent(BufferSize);
        try
        {
            while (true)
            {
                var count = await client.ReadAsync(buffer, _stop.Token);
                if (count == 0) break;

                connection.Touch();
                await connection.SendAsync(buffer.AsMemory(0, count), _sendTimeout);
                if (large.EndsTurnWith(count)) await large.TakeTurnOnPool();
            }

            await connection.EndSendingAsync();
        }
        catch (Exception e) when (IsEnd(e))
        {
            // Without its client nobody wants what the peer still sends; a peer that is gone shows in the other direction too.
            connection.Abort(ConnectionEnd.ClientLeft);
        }
        finally
        {
            BufferPool.Return(buffer);
        }
    }
}
